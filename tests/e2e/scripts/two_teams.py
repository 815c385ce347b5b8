"""What a member of two teams does: the same name in each, and neither sees the other's runs."""

import sys

import mlflow

first, second, outsider_token = sys.argv[1:]


def log(team):
    mlflow.set_workspace(team)
    experiment = mlflow.set_experiment("churn")
    with mlflow.start_run(run_name=f"in {team}"):
        mlflow.log_metric("auc", 0.9)
    return experiment.experiment_id


ids = [log(first), log(second)]
assert ids[0] != ids[1], ids
for team, experiment_id in zip((first, second), ids, strict=True):
    mlflow.set_workspace(team)
    assert mlflow.get_experiment_by_name("churn").experiment_id == experiment_id
    assert list(mlflow.search_runs(experiment_names=["churn"])["tags.mlflow.runName"]) == [f"in {team}"]
    assert [found.name for found in mlflow.search_experiments(filter_string="name = 'churn'")] == ["churn"]

import os

os.environ["MLFLOW_TRACKING_TOKEN"] = outsider_token
mlflow.set_workspace(second)
assert mlflow.get_experiment_by_name("churn").experiment_id == ids[1]
try:
    mlflow.get_experiment(ids[0])
except mlflow.exceptions.MlflowException as error:
    assert error.error_code == "RESOURCE_DOES_NOT_EXIST", error
else:
    raise AssertionError("an outsider sees the other team's experiment")
print("kept apart")
