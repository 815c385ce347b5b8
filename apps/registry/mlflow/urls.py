"""Each module of this package lists its own routes; this joins them."""

from apps.registry.mlflow import aliases, model_versions, registered_models

ROUTES = [
    *registered_models.ROUTES,
    *model_versions.ROUTES,
    *aliases.ROUTES,
]
