"""What stands between callers and instances: `/serve/<deployment>/…` (docs/adr/0013-gateway.md).

An ASGI application of its own beside Django. It knows deployments by a table in the process, which is read anew when
they change, and asks the database for nothing while it passes calls on.
"""
