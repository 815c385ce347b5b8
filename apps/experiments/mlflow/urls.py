"""Each module of this package lists its own routes; this joins them."""

from apps.experiments.mlflow import experiments, runs

ROUTES = [*experiments.ROUTES, *runs.ROUTES]
