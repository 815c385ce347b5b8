"""What an entry point does with the token that it was given, and what it must not. Prints what came of each."""

import os
import tempfile
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import requests
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.models import infer_signature
from sklearn.linear_model import LinearRegression

OTHER_RUN, OTHER_EXPERIMENT, TAKEN = (os.environ[name] for name in ("OTHER_RUN", "OTHER_EXPERIMENT", "TAKEN"))
# The client takes it out of the environment when it goes on with the run.
OWN_RUN = os.environ["MLFLOW_RUN_ID"]
X = pd.DataFrame({"a": [0.0, 1.0, 2.0]})
y = np.array([0.0, 2.0, 4.0])
client = MlflowClient()

with mlflow.start_run() as run:
    assert run.info.run_id == OWN_RUN
    mlflow.log_params({"alpha": 1, "kernel": "linear"})
    for step in range(3):
        mlflow.log_metric("loss", 1 / (step + 1), step=step)
    mlflow.set_tag("kind", "nightly")
    mlflow.log_input(mlflow.data.from_pandas(X, name="points"))
    mlflow.log_text("hello", "notes/hello.txt")
    fitted = LinearRegression().fit(X, y)
    logged = mlflow.sklearn.log_model(
        fitted, name="model", signature=infer_signature(X, y), registered_model_name="made-by-a-run"
    )
    with mlflow.start_run(nested=True, run_name="fold") as child:
        mlflow.log_metric("loss", 0.5)
    assert client.get_run(child.info.run_id).data.tags["mlflow.parentRunId"] == run.info.run_id

with tempfile.TemporaryDirectory() as folder:
    got = mlflow.artifacts.download_artifacts(run_id=run.info.run_id, artifact_path="notes/hello.txt", dst_path=folder)
    assert Path(got).read_text() == "hello"
print("predicts", mlflow.pyfunc.load_model(logged.model_uri).predict(X)[1])
print("production predicts", mlflow.pyfunc.load_model(f"models:/{TAKEN}/Production").predict(X)[1])

version = client.get_model_version("made-by-a-run", "1")
assert version.run_id == run.info.run_id
client.set_model_version_tag("made-by-a-run", "1", "nightly", "yes")
client.update_model_version("made-by-a-run", "1", description="by the nightly run")
found = {each.experiment_id for each in client.search_experiments()}
assert found == {run.info.experiment_id}, found
assert len(mlflow.search_runs(search_all_experiments=True)) == 2

asked = {"name": "made-by-a-run", "version": "1", "stage": "Production", "comment": "it is better"}
answer = requests.post(
    f"{os.environ['MLFLOW_TRACKING_URI']}/api/2.0/mlflow/transition-requests/create",
    json=asked,
    headers={"Authorization": f"Bearer {os.environ['MLFLOW_TRACKING_TOKEN']}"},
    timeout=30,
)
print("asked", answer.status_code, answer.json()["request"]["to_stage"])

FORBIDDEN = {
    "log elsewhere": lambda: client.log_metric(OTHER_RUN, "x", 1),
    "read elsewhere": lambda: client.get_run(OTHER_RUN),
    "run elsewhere": lambda: client.create_run(OTHER_EXPERIMENT),
    "files elsewhere": lambda: client.list_artifacts(OTHER_RUN),
    "register elsewhere": lambda: client.create_model_version("made-by-a-run", f"runs:/{OTHER_RUN}/model"),
    "new experiment": lambda: client.create_experiment("mine"),
    "named experiment": lambda: mlflow.set_experiment("elsewhere"),
    "delete run": lambda: client.delete_run(run.info.run_id),
    "delete experiment": lambda: client.delete_experiment(run.info.experiment_id),
    "delete tag": lambda: client.delete_tag(run.info.run_id, "kind"),
    "stage": lambda: client.transition_model_version_stage("made-by-a-run", "1", "Staging"),
    "alias": lambda: client.set_registered_model_alias("made-by-a-run", "champion", "1"),
    "tag of a model": lambda: client.set_registered_model_tag(TAKEN, "k", "v"),
    "tag of a version": lambda: client.set_model_version_tag(TAKEN, "1", "k", "v"),
    "delete version": lambda: client.delete_model_version("made-by-a-run", "1"),
    "delete model": lambda: client.delete_registered_model(TAKEN),
    "rename model": lambda: client.rename_registered_model(TAKEN, "x"),
}
for way, go in FORBIDDEN.items():
    try:
        go()
        print("THROUGH", way)
    except MlflowException as error:
        print("refused", way, error.error_code)
