"""Reads over several models: a run's page, charts, comparison, and what changed since a page last looked."""
