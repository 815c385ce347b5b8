"""`slipway models serve`: a model of a server, or of a folder, behind a port of this machine.

A reference (what somebody typed) is resolved to where files lie, these are fetched, the model's own environment is
built, and in it the scoring server is started. Nothing of a model is imported here.
"""
