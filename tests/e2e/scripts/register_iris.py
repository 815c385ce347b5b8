"""Trains on the iris flowers, and registers it as `iris-classifier`: version 1 in Production, version 2 `champion`."""

import sys

import mlflow
import mlflow.sklearn
import pandas as pd
from mlflow import MlflowClient
from mlflow.models import infer_signature
from sklearn import svm

NAME = "iris-classifier"
FEATURES = ["sepal_length", "sepal_width", "petal_length", "petal_width"]


def main(dataset):
    """Print the ids of the run, and of its model."""
    flowers = pd.read_csv(dataset)
    classifier = svm.SVC(kernel="linear", C=1.0).fit(flowers[FEATURES], flowers["species"].astype("category").cat.codes)
    signature = infer_signature(flowers[FEATURES], classifier.predict(flowers[FEATURES]))
    with mlflow.start_run() as run:
        logged = mlflow.sklearn.log_model(
            classifier,
            name="model",
            signature=signature,
            input_example=flowers[FEATURES].head(2),
            # Named, since finding out what it imports takes longer than all else.
            pip_requirements=["mlflow", "scikit-learn", "pandas"],
            registered_model_name=NAME,
        )
    mlflow.register_model(logged.model_uri, NAME)
    client = MlflowClient()
    client.transition_model_version_stage(NAME, "1", "Production")
    client.set_registered_model_alias(NAME, "champion", "2")
    print(run.info.run_id, logged.model_id)


if __name__ == "__main__":
    main(sys.argv[1])
