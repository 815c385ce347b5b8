from apps.core.mlflow.routing import Route
from apps.experiments.mlflow import endpoints as on

ROUTES = [
    Route("POST", "2.0/mlflow/experiments/create", on.create_experiment),
    Route("GET", "2.0/mlflow/experiments/get", on.get_experiment),
    Route("POST", "2.0/mlflow/runs/create", on.create_run),
    Route("GET", "2.0/mlflow/runs/get", on.get_run),
]
