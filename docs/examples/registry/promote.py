"""Train the iris SVM twice under one registered name, and ask that the second version enter Production.

Set MLFLOW_TRACKING_URI and MLFLOW_TRACKING_TOKEN, and run it. All of it is the plain client but the last call, which
that client has no word for. Prints the address of the page on which others decide.
"""

import argparse
import os
import sys
from pathlib import Path

import mlflow
import mlflow.sklearn
import requests
from mlflow import MlflowClient
from mlflow.models import infer_signature
from sklearn import svm
from sklearn.metrics import accuracy_score

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "iris"))

from train import HERE, load


def train(name, c):
    """One run that logs a model and registers it; the number of the version."""
    x_train, x_test, y_train, y_test = load(HERE / "iris.csv")
    with mlflow.start_run(run_name=f"svm C={c}"):
        classifier = svm.SVC(kernel="linear", C=c).fit(x_train, y_train)
        mlflow.log_params({"kernel": "linear", "C": c})
        mlflow.log_metric("accuracy", accuracy_score(y_test, classifier.predict(x_test)))
        signature = infer_signature(x_train, classifier.predict(x_train))
        named = {"name" if mlflow.__version__ >= "3" else "artifact_path": "model"}
        example = x_train.head(2)
        logged = mlflow.sklearn.log_model(
            classifier, **named, signature=signature, input_example=example, registered_model_name=name
        )
    return str(logged.registered_model_version)


def ask(name, version, stage, comment):
    """Ask that a version enter a stage; the request's id. Databricks' own clients make the same call."""
    answer = requests.post(
        f"{os.environ['MLFLOW_TRACKING_URI']}/api/2.0/mlflow/transition-requests/create",
        json={"name": name, "version": version, "stage": stage, "comment": comment},
        headers={"Authorization": f"Bearer {os.environ['MLFLOW_TRACKING_TOKEN']}"},
        timeout=30,
    )
    if not answer.ok:
        sys.exit(f"{answer.status_code}: {answer.json()['message']}")
    return answer.json()["request"]["id"]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", nargs="?", default="iris-classifier", help="of the registered model")
    parser.add_argument("-s", "--stage", default="Production", help="to ask for")
    parser.add_argument("-c", "--comment", default="A wider margin, and as accurate.", help="why")
    options = parser.parse_args()
    # Where it is started in a folder with a uv.lock, the client would take that one's packages for the model's.
    os.environ.setdefault("MLFLOW_UV_AUTO_DETECT", "false")

    mlflow.set_experiment("iris-registry")
    for c in (10.0, 1.0):
        version = train(options.name, c)

    client = MlflowClient()
    client.set_registered_model_alias(options.name, "candidate", version)
    client.set_model_version_tag(options.name, version, "data", "iris.csv")
    client.update_model_version(options.name, version, "A linear SVM on the **four measures** of the flowers.")

    request = ask(options.name, version, options.stage, options.comment)
    print(f"{options.name} version {version} waits at {os.environ['MLFLOW_TRACKING_URI']}/approvals/{request}/")


if __name__ == "__main__":
    main()
