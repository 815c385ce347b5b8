"""The order's script and the tour of the client, unmodified, on three releases of the client."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import requests

from tests.e2e.clients import IRIS, client_python, run_script
from tests.servers import Server

RELEASES = ["2.22.*", "3.6.*", "3.17.2"]
pytestmark = pytest.mark.client


@pytest.mark.parametrize("release", RELEASES)
def test_the_orders_script_logs_into_experiment_0(release: str, up: Server, tmp_path: Path) -> None:
    printed = run_script(client_python(release), IRIS / "train.py", up.client_env(), tmp_path)
    assert "accuracy 1.000" in printed
    assert (tmp_path / "model.pkl" / "MLmodel").is_file()
    found = _search(up, "0", "params.algorithm = 'SVM' AND metrics.accuracy = 1")
    assert {"C": "1.0", "kernel": "linear"}.items() <= _pairs(found[0]["data"]["params"]).items()
    assert found[0]["info"]["status"] == "FINISHED"


@pytest.mark.parametrize("release", RELEASES)
def test_the_tour_works_with_a_token_as_bearer(release: str, up: Server, tmp_path: Path) -> None:
    printed = run_script(client_python(release), IRIS / "tour.py", up.client_env(), tmp_path)
    run_id = printed.splitlines()[-1]
    found = _get(up, "runs/get", run_id=run_id)["run"]
    assert _pairs(found["data"]["tags"])["stage"] == "tour"


def test_the_tour_works_with_user_name_and_token_as_basic(up: Server, tmp_path: Path) -> None:
    env = up.client_env()
    token = env.pop("MLFLOW_TRACKING_TOKEN")
    env |= {"MLFLOW_TRACKING_USERNAME": "admin", "MLFLOW_TRACKING_PASSWORD": token}
    run_script(client_python(RELEASES[-1]), IRIS / "tour.py", env, tmp_path)


def test_a_wrong_token_is_told_so(up: Server, tmp_path: Path) -> None:
    env = {**up.client_env(), "MLFLOW_TRACKING_TOKEN": "slw_" + "0" * 12 + "_" + "0" * 40}
    with pytest.raises(AssertionError, match="Sign in, or send an API token"):
        run_script(client_python(RELEASES[-1]), IRIS / "train.py", env, tmp_path)


def _pairs(items: list[dict[str, str]]) -> dict[str, str]:
    return {item["key"]: item["value"] for item in items}


def _get(server: Server, path: str, **query: str) -> Any:
    headers = {"Authorization": f"Bearer {server.token}"}
    response = requests.get(f"{server.url}/api/2.0/mlflow/{path}", params=query, headers=headers, timeout=30)
    response.raise_for_status()
    return response.json()


def _search(server: Server, experiment_id: str, filter_string: str) -> Any:
    body = {"experiment_ids": [experiment_id], "filter": filter_string}
    headers = {"Authorization": f"Bearer {server.token}"}
    response = requests.post(f"{server.url}/api/2.0/mlflow/runs/search", json=body, headers=headers, timeout=30)
    response.raise_for_status()
    return response.json()["runs"]
