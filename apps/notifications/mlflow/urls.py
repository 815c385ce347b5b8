"""Each module of this package lists its own routes; this joins them."""

from apps.notifications.mlflow import registry_webhooks, webhooks

ROUTES = [
    *webhooks.ROUTES,
    *registry_webhooks.ROUTES,
]
