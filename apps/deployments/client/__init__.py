"""Deployments of a server as its clients see them: the command line, and the mlflow client's plug-in. No settings."""
