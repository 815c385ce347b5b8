"""Builds: a model version is loaded and scored in an environment of its own, apart from the server; what came of it."""
