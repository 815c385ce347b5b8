"""Fills a store through the real client, of MLflow 2.x or 3.x: `python fill_store.py TRACKING_URI`.

The stores in `tests/imports/stores` were made by it in the folder /srv/mlflow, with the client that their name tells.
That client then read them, by `read_store.py`: the answer lies in each as `read.json`.
"""

from __future__ import annotations

import math
import random
import sys
import tempfile
from pathlib import Path

import mlflow
import pandas as pd
from mlflow.entities import Metric, Param, RunTag
from mlflow.tracking import MlflowClient

uri = sys.argv[1]
mlflow.set_tracking_uri(uri)
client = MlflowClient(uri)
three = int(mlflow.__version__.split(".")[0]) >= 3


ECHO = """
import mlflow


class Echo(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return model_input


mlflow.models.set_model(Echo())
"""

for name in ("iris", "Ünïcode / fjord"):
    exp = client.create_experiment(name, tags={"mlflow.note.content": f"About {name}", "kind": "test"})
    for number in range(3):
        run = client.create_run(
            exp, run_name=f"run-{number}", tags={"seed": str(number)}, start_time=1_700_000_000_000 + number
        )
        rid = run.info.run_id
        metrics = [Metric("loss", 1 / (s + 1), 1_700_000_000_000 + s, s) for s in range(250)]
        metrics += [Metric("acc", 0.5 + s / 100, 1_700_000_000_000 + s, s) for s in range(20)]
        metrics += [
            Metric("odd", float("nan"), 5, 0),
            Metric("odd", float("inf"), 6, 1),
            Metric("odd", -math.inf, 7, 2),
        ]
        metrics += [Metric("back", 3.0, 9, 10), Metric("back", 4.0, 10, 3), Metric("val/f1", 0.5, 11, -4)]
        client.log_batch(
            rid,
            metrics=metrics,
            params=[Param("lr", "0.1"), Param("long", "x" * 500)],
            tags=[RunTag("note", "multi\nline \t tab \\ back")],
        )
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "plots").mkdir()
            (Path(folder) / "plots" / "a.txt").write_text(f"plot {number}\n")
            (Path(folder) / "big.bin").write_bytes(random.Random(number).randbytes(500))
            (Path(folder) / "empty").touch()
            client.log_artifacts(rid, folder)
        if number == 0:
            child = client.create_run(exp, run_name="child", tags={"mlflow.parentRunId": rid})
            client.log_metric(child.info.run_id, "m", 1.0, timestamp=12, step=1)
            client.set_terminated(child.info.run_id, "FAILED", end_time=1_700_000_000_999)
        if number == 2:
            client.delete_run(rid)
        else:
            client.set_terminated(rid, "FINISHED", end_time=1_700_000_100_000)
gone = client.create_experiment("gone")
client.create_run(gone)
client.delete_experiment(gone)

mlflow.set_experiment("iris")
with mlflow.start_run(run_name="with model") as run:
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]})
    data = mlflow.data.from_pandas(frame, source="here.csv", name="frame")
    mlflow.log_input(data, context="training")
    more = {"name": "model"} if three else {"artifact_path": "model"}
    with tempfile.TemporaryDirectory() as folder:
        code = Path(folder) / "echo.py"
        code.write_text(ECHO)
        info = mlflow.pyfunc.log_model(python_model=str(code), pip_requirements=["mlflow"], **more)
    mlflow.log_metric("score", 0.75)
    if three:
        mlflow.log_metric("of_model", 0.5, step=3, model_id=info.model_id, dataset=data)
    run_id = run.info.run_id

client.create_registered_model("echo", tags={"team": "x"}, description="Says it again")
source = info.model_uri
one = client.create_model_version("echo", source, run_id, tags={"t": "1"}, description="first")
two = client.create_model_version("echo", source, run_id)
three_ = client.create_model_version("echo", source, run_id)
client.delete_model_version("echo", two.version)
if hasattr(client, "set_registered_model_alias"):
    client.set_registered_model_alias("echo", "champion", one.version)
client.transition_model_version_stage("echo", three_.version, "Production")
client.transition_model_version_stage("echo", one.version, "Archived")
client.create_registered_model("empty one")
print("filled")
