"""Python environments of projects and models: what they need, and a cache of them, built by uv."""

from apps.projects.environments.building import Cache, Ready
from apps.projects.environments.needs import Needs, needs_of, needs_of_requirements

__all__ = ["Cache", "Needs", "Ready", "needs_of", "needs_of_requirements"]
