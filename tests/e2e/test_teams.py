"""Two teams on one server, with the unmodified client."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import requests

from tests.e2e.clients import run_script
from tests.servers import Server

SCRIPTS = Path(__file__).parent / "scripts"


@pytest.mark.client
def test_teams_are_workspaces_that_see_nothing_of_each_other(up: Server, tmp_path: Path) -> None:
    if find_spec("mlflow") is None:
        pytest.skip("mlflow is not installed: uv run --group client pytest")
    for team in ("forge", "harbour"):
        _as_admin(up, "POST", "3.0/mlflow/workspaces", {"name": team})
    for name, team in (("ada", "forge"), ("cleo", "harbour")):
        up.command("user", "create", name, "--team", team, "--password-stdin", stdin=f"a good password for {name}\n")
    _as_admin(up, "PUT", "v1/teams/harbour/members/ada/", {"role": "member"})
    ada, cleo = up.command("token", "create", "ada"), up.command("token", "create", "cleo")
    env = {**up.client_env(), "MLFLOW_TRACKING_TOKEN": ada}
    printed = run_script(Path(sys.executable), SCRIPTS / "two_teams.py", env, tmp_path, "forge", "harbour", cleo)
    assert printed.endswith("kept apart")


def _as_admin(server: Server, method: str, path: str, body: dict[str, str]) -> None:
    headers = {"Authorization": f"Bearer {server.token}"}
    response = requests.request(method, f"{server.url}/api/{path}", json=body, headers=headers, timeout=20)
    assert response.status_code in (200, 201), response.text
