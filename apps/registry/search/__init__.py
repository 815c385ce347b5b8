"""Searching models and versions with the language of `apps.experiments.search`."""
