"""Instances as processes of this host: each under a keeper of its own, which outlives whoever supervises it."""

from apps.deployments.targets.process.target import ProcessTarget

__all__ = ["ProcessTarget"]
