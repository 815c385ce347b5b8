"""`mlflow deployments … -t slipway` and `slipway deployments …`, as somebody types them, on a whole installation."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.serving import SLIPWAY, client_env, register, write_model
from tests.servers import Server

pytestmark = pytest.mark.client
MODEL = "doubling-deployed"
# Long, since an environment is built: only a test that fails waits for so long.
PATIENCE = 900


@pytest.fixture(scope="module")
def env(up: Server, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A person's shell, on a server that has a small model."""
    register(up, MODEL, write_model(tmp_path_factory.mktemp("doubling")))
    return client_env(up, tmp_path_factory.mktemp("home"))


@pytest.fixture
def tidy(env: dict[str, str]) -> Iterator[None]:
    """What a test that failed left is taken away."""
    yield
    for name in ("doubling", "waiting"):
        run(env, "slipway", "deployments", "delete", name, "--stop")


def run(env: dict[str, str], program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(SLIPWAY.parent / program), *arguments]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=PATIENCE, check=False)


def told(env: dict[str, str], program: str, *arguments: str) -> str:
    """What a command that succeeds prints."""
    done = run(env, program, *arguments)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"[-6000:]
    return done.stdout


def test_from_the_first_revision_to_the_last_log(env: dict[str, str], tmp_path: Path, tidy: None) -> None:
    target = ("-t", "slipway", "--name", "doubling")
    made = told(env, "mlflow", "deployments", "create", *target, "-m", f"models:/{MODEL}/1", "-C", "timeout=800")
    assert "python_function deployment doubling is created" in made
    assert "name: doubling" in told(env, "mlflow", "deployments", "get", *target)
    assert "'name': 'doubling'" in told(env, "mlflow", "deployments", "list", "-t", "slipway")

    rows = tmp_path / "rows.json"
    rows.write_text('{"x": {"0": 2.0, "1": 3.5}}')
    answer = told(env, "mlflow", "deployments", "predict", *target, "-I", str(rows))
    assert json.loads(answer.splitlines()[-1])["predictions"] == [4.0, 7.0]

    (listed,) = json.loads(told(env, "slipway", "deployments", "list", "--model", MODEL, "--json"))
    assert (listed["state"], listed["is_serving"], listed["revision"]) == ("ready", True, 1)
    assert told(env, "slipway", "deployments", "logs", "doubling")

    changed = told(env, "mlflow", "deployments", "update", *target, "-C", "concurrency=8", "-C", "timeout=800")
    assert "Deployment doubling is updated (with flavor python_function)" in changed
    back = run(env, "slipway", "deployments", "rollback", "doubling", "--wait", "--timeout", "300")
    assert back.returncode == 0, back.stderr
    assert "Revision 1 of doubling" in back.stderr
    told(env, "mlflow", "deployments", "delete", *target)
    assert run(env, "slipway", "deployments", "show", "doubling").returncode == 2


def test_what_is_wrong_is_said(env: dict[str, str], tidy: None) -> None:
    none = run(env, "mlflow", "deployments", "create", "-t", "slipway", "--name", "waiting", "-m", "models:/none/1")
    assert none.returncode == 1
    assert "Registered Model with name=none not found" in none.stderr
    wrong = run(env, "slipway", "deployments", "create", "waiting", "-m", f"models:/{MODEL}/1", "-C", "cpu=2")
    assert (wrong.returncode, "There is no 'cpu'" in wrong.stderr) == (2, True)
    stranger = run({**env, "MLFLOW_TRACKING_TOKEN": "wrong"}, "slipway", "deployments", "list")
    assert (stranger.returncode, "MLFLOW_TRACKING_TOKEN" in stranger.stderr) == (2, True)
