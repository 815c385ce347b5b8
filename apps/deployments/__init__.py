"""Deployments: versions of models that answer at a stable address, changed and taken back without a failed request."""
