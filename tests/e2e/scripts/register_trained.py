"""The folder that a finished run saved, logged to that run and registered: RUN FOLDER NAME. Prints the version."""

import sys

import mlflow
from mlflow import MlflowClient

run_id, folder, name = sys.argv[1:]
MlflowClient().log_artifacts(run_id, folder, "model")
print(mlflow.register_model(f"runs:/{run_id}/model", name).version)
