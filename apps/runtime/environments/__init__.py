"""Python environments of projects and models: what they need, and a cache of them, built by uv."""

from apps.runtime.environments.building import Cache, Ready, Say, cant_be_built, uv_here
from apps.runtime.environments.needs import Needs, needs_of, needs_of_requirements

__all__ = ["Cache", "Needs", "Ready", "Say", "cant_be_built", "needs_of", "needs_of_requirements", "uv_here"]
