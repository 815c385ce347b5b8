"""A tour of everything that a training script does with its tracking server, on the iris flowers.

Runs with mlflow 2.22 and newer. It checks what it reads back, and prints the id of the run to look at.
"""

import os
import tempfile
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import mlflow
import mlflow.sklearn
import numpy as np
import pandas as pd
from mlflow import MlflowClient
from mlflow.models import infer_signature
from sklearn import svm
from sklearn.linear_model import SGDClassifier
from sklearn.metrics import accuracy_score
from sklearn.model_selection import GridSearchCV
from train import HERE, load

STEPS = 50


def train_by_steps(x_train, y_train, x_test, y_test):
    """A linear classifier in 50 passes; its accuracy is logged after each."""
    classifier = SGDClassifier(random_state=42)
    for step in range(STEPS):
        classifier.partial_fit(x_train, y_train, classes=np.unique(y_train))
        mlflow.log_metric("accuracy", classifier.score(x_test, y_test), step=step)


def log_files(folder):
    """Text, a figure, a file and a folder."""
    mlflow.log_text("sepals and petals", "notes/readme.txt")
    figure, axes = plt.subplots()
    axes.plot([1, 2, 3], [2, 4, 8])
    mlflow.log_figure(figure, "plots/growth.png")
    plt.close(figure)
    note = Path(folder) / "note.csv"
    note.write_text("a,b\n1,2\n")
    mlflow.log_artifact(str(note))
    mlflow.log_artifacts(folder, artifact_path="folder")


def log_model(classifier, x_train):
    """The model, with signature and input example; the call of both generations of the client."""
    signature = infer_signature(x_train, classifier.predict(x_train))
    example = x_train.head(2)
    if int(mlflow.__version__.split(".")[0]) >= 3:
        return mlflow.sklearn.log_model(classifier, name="model", signature=signature, input_example=example)
    return mlflow.sklearn.log_model(classifier, artifact_path="model", signature=signature, input_example=example)


def main():
    # Where it is started in a folder with a uv.lock, the client would take that one's packages for the model's.
    os.environ.setdefault("MLFLOW_UV_AUTO_DETECT", "false")
    flowers = pd.read_csv(HERE / "iris.csv")
    x_train, x_test, y_train, y_test = load(HERE / "iris.csv")
    experiment = mlflow.set_experiment("iris-tour")

    with mlflow.start_run(run_name="svm", tags={"stage": "tour"}, description="A linear SVM.") as run:
        mlflow.log_params({"algorithm": "SVM", "C": 1.0, "kernel": "linear"})
        mlflow.log_input(mlflow.data.from_pandas(flowers, name="iris", targets="species"), context="training")
        train_by_steps(x_train, y_train, x_test, y_test)
        with tempfile.TemporaryDirectory() as folder:
            log_files(folder)
        classifier = svm.SVC(kernel="linear", C=1.0).fit(x_train, y_train)
        mlflow.log_metrics({"test_accuracy": accuracy_score(y_test, classifier.predict(x_test)), "hopeless": np.nan})
        logged = log_model(classifier, x_train)
        for c in (0.1, 1.0, 10.0):
            with mlflow.start_run(run_name=f"c={c}", nested=True):
                mlflow.log_param("C", c)
                mlflow.log_metric("accuracy", svm.SVC(kernel="linear", C=c).fit(x_train, y_train).score(x_test, y_test))

    mlflow.sklearn.autolog(max_tuning_runs=2)
    with mlflow.start_run(run_name="autologged") as automatic:
        GridSearchCV(svm.SVC(), {"C": [0.5, 2.0]}, cv=2).fit(x_train, y_train)
    mlflow.sklearn.autolog(disable=True)

    check(experiment, run.info.run_id, automatic.info.run_id, logged, x_test)
    print(run.info.run_id)


def check(experiment, run_id, automatic_id, logged, x_test):
    """Read everything back."""
    client = MlflowClient()
    run = client.get_run(run_id)
    assert run.info.status == "FINISHED"
    assert run.info.run_name == "svm"
    assert run.data.params["kernel"] == "linear"
    assert np.isnan(run.data.metrics["hopeless"])
    assert run.data.tags["mlflow.note.content"] == "A linear SVM."
    assert run.inputs.dataset_inputs[0].dataset.name == "iris"

    history = client.get_metric_history(run_id, "accuracy")
    assert sorted(point.step for point in history) == list(range(STEPS))
    best = mlflow.search_runs(
        [experiment.experiment_id],
        filter_string=f"metrics.accuracy > 0.5 AND params.C = '1.0' AND tags.`mlflow.parentRunId` = '{run_id}'",
        order_by=["metrics.accuracy DESC"],
    )
    assert list(best["tags.mlflow.runName"]) == ["c=1.0"]

    names = {file.path for file in client.list_artifacts(run_id)}
    assert {"folder", "note.csv", "notes", "plots"} <= names
    assert mlflow.artifacts.load_text(f"runs:/{run_id}/notes/readme.txt") == "sepals and petals"
    for uri in (f"runs:/{run_id}/model", logged.model_uri):
        assert len(mlflow.pyfunc.load_model(uri).predict(x_test)) == len(x_test)
    assert client.get_run(automatic_id).data.params["cv"] == "2"

    client.set_tag(run_id, "looked_at", "yes")
    client.delete_tag(run_id, "looked_at")
    client.delete_run(run_id)
    assert client.get_run(run_id).info.lifecycle_stage == "deleted"
    client.restore_run(run_id)
    assert client.get_run(run_id).info.lifecycle_stage == "active"


if __name__ == "__main__":
    main()
