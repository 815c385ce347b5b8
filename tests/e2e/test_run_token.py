"""A real script with the installed client under the token of a project run."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.e2e.clients import run_script
from tests.e2e.registry import administrator, newcomer
from tests.servers import Server

SCRIPT = Path(__file__).parent / "scripts" / "under_a_run_token.py"
TAKEN = "taken-into-production"
MODEL = f"""
import mlflow, numpy as np, pandas as pd
from sklearn.linear_model import LinearRegression
mlflow.set_experiment("elsewhere")
with mlflow.start_run() as run:
    fitted = LinearRegression().fit(pd.DataFrame({{"a": [0.0, 1.0]}}), np.array([0.0, 3.0]))
    mlflow.sklearn.log_model(fitted, name="model", registered_model_name="{TAKEN}")
mlflow.MlflowClient().transition_model_version_stage("{TAKEN}", "1", "Production")
print(run.info.run_id, run.info.experiment_id)
"""
MAKE = """
from datetime import timedelta
from django.utils import timezone
from apps.accounts.actions import create_run_token
from apps.accounts.models import Team, User
from apps.core.actor import system_actor
user, team = User.objects.get(username={name!r}), Team.objects.get(name="default")
print(create_run_token(system_actor(), user=user, team=team, experiment_id={experiment}, project_run_id=1,
    name="project run 1", expires_at=timezone.now() + timedelta(hours=1))[1])
"""
pytestmark = pytest.mark.client


def test_what_a_script_does_with_it_and_must_not(up: Server, tmp_path: Path) -> None:
    maintainer = newcomer(up, "nightly-owner", "maintainer")
    (tmp_path / "make.py").write_text(MODEL)
    made = run_script(Path(sys.executable), tmp_path / "make.py", maintainer.env(), tmp_path)
    other_run, other_experiment = made.splitlines()[-1].split()
    experiment = maintainer("POST", "2.0/mlflow/experiments/create", {"name": "nightly"})["experiment_id"]
    run = maintainer("POST", "2.0/mlflow/runs/create", {"experiment_id": experiment})["run"]["info"]["run_id"]
    make = MAKE.format(name="nightly-owner", experiment=experiment)
    token = up.command("shell", "--no-imports", "-c", make).splitlines()[-1]
    env = maintainer.env() | {"MLFLOW_TRACKING_TOKEN": token, "MLFLOW_RUN_ID": run, "MLFLOW_EXPERIMENT_ID": experiment}
    env |= {"OTHER_RUN": other_run, "OTHER_EXPERIMENT": other_experiment, "TAKEN": TAKEN}
    said = run_script(Path(sys.executable), SCRIPT, env, tmp_path).splitlines()
    assert [line for line in said if line.startswith("THROUGH")] == []
    refused = dict(line.removeprefix("refused ").rsplit(" ", 1) for line in said if line.startswith("refused "))
    absent = {"log elsewhere", "read elsewhere", "run elsewhere", "files elsewhere", "register elsewhere"}
    assert {way for way, code in refused.items() if code == "RESOURCE_DOES_NOT_EXIST"} == absent
    assert set(refused.values()) == {"RESOURCE_DOES_NOT_EXIST", "PERMISSION_DENIED"} and len(refused) == 17
    told = [line for line in said if line.startswith(("predicts", "production predicts", "asked"))]
    assert [line.rsplit(" ", 1)[0] for line in told] == ["predicts", "production predicts", "asked 200"]
    assert [round(float(line.rsplit(" ", 1)[1])) for line in told[:2]] == [2, 3]
    # It asked as its owner.
    asked = [each["request"] for each in administrator(up)("GET", "v1/promotion-requests/")["results"]]
    assert [each["requester"] for each in asked if each["name"] == "made-by-a-run"] == ["nightly-owner"]
