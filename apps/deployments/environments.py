"""What the environment of a model needs so that it can be served there; builds ask for the same, and make it once."""

from apps.runtime.environments.serving import needs_of_model, serving_needs

__all__ = ["needs_of_model", "serving_needs"]
