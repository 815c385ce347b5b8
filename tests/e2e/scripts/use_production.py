"""Load what is in production, predict, and try every way around the approvals. Prints what came of each."""

import mlflow
import pandas as pd
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

NAME = "iris-classifier"
COLUMNS = ["sepal_length", "sepal_width", "petal_length", "petal_width"]

model = mlflow.pyfunc.load_model(f"models:/{NAME}/Production")
print("predicts", model.predict(pd.DataFrame([[5.1, 3.5, 1.4, 0.2]], columns=COLUMNS))[0])

client = MlflowClient()
ways = {
    "transition": lambda: client.transition_model_version_stage(NAME, "1", "Production"),
    "archive": lambda: client.transition_model_version_stage(NAME, "2", "Archived"),
    "alias": lambda: client.set_registered_model_alias(NAME, "production", "1"),
    "delete": lambda: client.delete_model_version(NAME, "2"),
    "delete model": lambda: client.delete_registered_model(NAME),
    "rename": lambda: client.rename_registered_model(NAME, "mine"),
    "delete run": lambda: client.delete_run(client.get_model_version(NAME, "2").run_id),
}
for way, go in ways.items():
    try:
        go()
        print(way, "went through")
    except MlflowException as error:
        print(way, error.error_code, str(error).replace("\n", " "))
