"""Each module of this package lists its own routes; this joins them."""

from apps.experiments.mlflow import artifacts, datasets, experiments, logged_data, logged_models, metrics, runs, search

ROUTES = [
    *experiments.ROUTES,
    *runs.ROUTES,
    *logged_data.ROUTES,
    *metrics.ROUTES,
    *search.ROUTES,
    *datasets.ROUTES,
    *logged_models.ROUTES,
    *artifacts.ROUTES,
]
