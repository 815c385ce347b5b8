"""Databricks' routes of the registry, beside those that MLflow's own server has. Each module lists its own."""

from apps.registry.mlflow import (
    databricks_activities,
    databricks_comments,
    databricks_models,
    databricks_permissions,
    databricks_requests,
)

ROUTES = [
    *databricks_models.ROUTES,
    *databricks_requests.ROUTES,
    *databricks_comments.ROUTES,
    *databricks_activities.ROUTES,
    *databricks_permissions.ROUTES,
]
