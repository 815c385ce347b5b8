"""Sign-in of companies: people prove who they are to an OpenID Connect provider, and its groups say what they may.

`config` and `mapping` are read by the settings and import no models (ADR 0018).
"""
