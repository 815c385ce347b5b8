"""What can be brought over: each kind of store reads itself into the same shapes, and imports nothing of MLflow."""
