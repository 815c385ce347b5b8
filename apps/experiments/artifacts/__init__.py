"""Files that runs and models log: one store (a folder or S3), one path type, and the routes over them."""
