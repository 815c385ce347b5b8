"""Two versions of the iris SVM under one name, the second with an alias and a tag. Prints the numbers of both."""

import sys

import mlflow
from mlflow import MlflowClient

sys.path.insert(0, sys.argv[1])

from promote import train

NAME = "iris-classifier"

mlflow.set_experiment("iris-registry")
first, second = train(NAME, 10.0), train(NAME, 1.0)
client = MlflowClient()
client.set_registered_model_alias(NAME, "candidate", second)
client.set_model_version_tag(NAME, second, "data", "iris.csv")
client.update_model_version(NAME, second, "A linear SVM on the **four measures**.")
print(first, second)
