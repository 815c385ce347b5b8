"""Train a linear SVM on the iris flowers and log how well it does.

Nothing here knows about Slipway: set MLFLOW_TRACKING_URI and MLFLOW_TRACKING_TOKEN, and run it.
"""

import argparse
import os
import shutil
from pathlib import Path

import mlflow
import mlflow.sklearn
import pandas as pd
from sklearn import svm
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split

FEATURES = ["sepal_length", "sepal_width", "petal_length", "petal_width"]
HERE = Path(__file__).resolve().parent


def load(dataset):
    """Features and labels of a CSV file with the four measures and the species."""
    flowers = pd.read_csv(dataset)
    return train_test_split(flowers[FEATURES], flowers["species"], test_size=0.2, random_state=42)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-d", "--dataset", default=str(HERE / "iris.csv"), help="CSV file to train on")
    parser.add_argument("-o", "--output", default="model.pkl", help="folder to save the model in")
    options = parser.parse_args()
    # Where it is started in a folder with a uv.lock, the client would take that one's packages for the model's.
    os.environ.setdefault("MLFLOW_UV_AUTO_DETECT", "false")

    x_train, x_test, y_train, y_test = load(options.dataset)
    classifier = svm.SVC(kernel="linear", C=1.0)
    classifier.fit(x_train, y_train)
    accuracy = accuracy_score(y_test, classifier.predict(x_test))

    # No start_run: the client opens a run at the first call, and ends it with the script.
    mlflow.log_params({"algorithm": "SVM", "C": 1.0, "kernel": "linear"})
    mlflow.log_metrics({"accuracy": accuracy})

    shutil.rmtree(options.output, ignore_errors=True)
    mlflow.sklearn.save_model(classifier, options.output)
    print(f"accuracy {accuracy:.3f}, model in {options.output}")


if __name__ == "__main__":
    main()
