"""Places where instances run, each a folder: processes of this host, containers, pods; and bundles for other places."""
