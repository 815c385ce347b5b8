"""`slipway models serve` and MLflow's own on our registry: rows 8 to 12 of the order, and what can go wrong."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from apps.deployments.serve.references import parse_reference
from apps.deployments.serve.resolving import resolve
from apps.deployments.serve.tracker import Tracker
from tests.e2e.clients import IRIS, run_script
from tests.e2e.registry import administrator
from tests.e2e.serving import alive, children, client_env, refused, register, serving, write_model
from tests.servers import Server, free_port, wait_until_healthy
from tests.waiting import until

pytestmark = pytest.mark.client
NAME = "iris-classifier"
ROWS = [[5.1, 3.5, 1.4, 0.2], [4.9, 3.0, 1.4, 0.2]]
COLUMNS = ["sepal_length", "sepal_width", "petal_length", "petal_width"]
EVERYWHERE = "0.0.0.0"  # noqa: S104


@pytest.fixture(scope="module")
def iris(up: Server, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A run and a logged model of the registered iris classifier."""
    script = Path(__file__).parent / "scripts" / "register_iris.py"
    env = {**up.client_env(), "MLFLOW_UV_AUTO_DETECT": "false"}
    printed = run_script(Path(sys.executable), script, env, tmp_path_factory.mktemp("iris"), str(IRIS / "iris.csv"))
    run_id, model_id = printed.splitlines()[-1].split()
    return run_id, model_id


@pytest.fixture(scope="module")
def env(up: Server, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return client_env(up, tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def doubling(up: Server, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The run of a small model that is registered as `doubling`."""
    return register(up, "doubling", write_model(tmp_path_factory.mktemp("doubling")))


@pytest.mark.parametrize(
    ("uri", "version", "said"),
    [
        ("models:/iris-classifier/1", "1", "iris-classifier version 1"),
        ("models:/iris-classifier/v2", "2", "iris-classifier version 2"),
        ("models:/iris-classifier@champion", "2", "the alias champion"),
        ("models:/iris-classifier/production", "1", "in Production"),
        ("models:/iris-classifier/latest", "2", "the latest"),
        ("models:/iris-classifier", "1", "no version was named, and this one is in Production"),
        ("models:/doubling", "1", "none is in Production, and this is the latest that is ready"),
        ("runs:/{run}/model", "", "The logged model model"),
        ("runs:/{doubling}/model", "", "The model 'model' of run"),
        ("models:/{logged}", "", "The logged model model"),
    ],
)
def test_each_way_of_naming_a_model(
    up: Server, iris: tuple[str, str], doubling: str, uri: str, version: str, said: str
) -> None:
    tracker = Tracker(up.client_env())
    found = resolve(parse_reference(uri.format(run=iris[0], logged=iris[1], doubling=doubling)), tracker)
    assert (found.version, said in found.said) == (version, True), found
    # What was found is there.
    assert "MLmodel" in {file["path"] for file in tracker.list_files(found.files.removeprefix("mlflow-artifacts:/"))}


@pytest.fixture(scope="module")
def served(env: dict[str, str], iris: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Row 10: no version, on loopback, without a token."""
    with serving(env, tmp_path_factory.mktemp("served"), "models:/iris-classifier", "--workers", "2") as server:
        yield server


def test_the_log_says_which_version_it_is(served: Any) -> None:
    assert "iris-classifier version 1 (no version was named, and this one is in Production)" in served.log.read_text()


@pytest.mark.parametrize(
    "body",
    [
        {"data": ROWS},
        {"data": {"values": ROWS}},
        {"dataframe_split": {"columns": COLUMNS, "data": ROWS}},
        {"dataframe_records": [dict(zip(COLUMNS, row, strict=True)) for row in ROWS]},
        {"inputs": [dict(zip(COLUMNS, row, strict=True)) for row in ROWS]},
    ],
)
def test_the_orders_bodies_and_mlflows(served: Any, body: Any) -> None:
    answer = served.post(body)
    assert (answer.status_code, answer.json()) == (200, {"predictions": [0, 0]}), answer.text


def test_the_line_that_is_printed_holds_a_call_that_works(served: Any) -> None:
    curl = served.said.partition("Try: ")[2]
    done = subprocess.run(["bash", "-c", curl], capture_output=True, text=True, timeout=60, check=False)
    assert "predictions" in done.stdout, (curl, done)


def test_health_and_version(served: Any) -> None:
    assert [served.get(path).status_code for path in ("ping", "health", "version")] == [200, 200, 200]
    assert served.get(f"v2/models/{NAME}").json()["name"] == NAME


def test_wrong_rows_are_told_which_columns_there_are(served: Any) -> None:
    answer = served.post({"data": [[1.0, 2.0]]})
    assert (answer.status_code, "sepal_length" in answer.text, "Traceback" in answer.text) == (400, True, False)


def test_mlflows_own_command_serves_from_our_registry(
    env: dict[str, str], iris: tuple[str, str], tmp_path: Path
) -> None:
    port = free_port()
    command = [str(Path(sys.executable).parent / "mlflow"), "models", "serve", "-m", f"models:/{NAME}/1"]
    command += ["-p", str(port), "--env-manager", "local"]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, env=env, stdout=log, stderr=log, start_new_session=True)
    try:
        wait_until_healthy(Server(f"http://127.0.0.1:{port}", process, log=tmp_path / "log"), seconds=240)
        body = {"dataframe_split": {"columns": COLUMNS, "data": ROWS}}
        answer = requests.post(f"http://127.0.0.1:{port}/invocations", json=body, timeout=60)
        assert answer.json() == {"predictions": [0, 0]}
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def test_mlflows_own_server_by_our_command(env: dict[str, str], iris: tuple[str, str], tmp_path: Path) -> None:
    with serving(env, tmp_path, f"models:/{NAME}@champion", "--server", "mlflow") as server:
        assert server.post({"dataframe_split": {"columns": COLUMNS, "data": ROWS}}).json() == {"predictions": [0, 0]}
        assert server.stop() == 0


def test_the_iris_example_from_csv_to_prediction(env: dict[str, str], tmp_path: Path) -> None:
    run_script(Path(sys.executable), IRIS / "train.py", env, tmp_path)
    alone = {name: value for name, value in env.items() if not name.startswith("MLFLOW_TRACKING")}
    with serving(alone, tmp_path, "model.pkl") as server:
        assert server.post({"data": ROWS}).json() == {"predictions": ["setosa", "setosa"]}


def test_on_other_addresses_it_wants_a_token(up: Server, env: dict[str, str], doubling: str, tmp_path: Path) -> None:
    tokens = {
        scope: up.command("token", "create", "admin", "--scope", scope) for scope in ("serve", "tracking", "read")
    }
    body = {"data": [[21.0]]}
    with serving(env, tmp_path, "models:/doubling/1", "-h", EVERYWHERE) as server:
        assert server.post(body).status_code == 401
        assert server.post(body, Authorization="Bearer wrong").status_code == 401
        statuses = {scope: server.post(body, Authorization=f"Bearer {text}") for scope, text in tokens.items()}
        assert {scope: each.status_code for scope, each in statuses.items()} == {
            "serve": 200,
            "tracking": 403,
            "read": 403,
        }
        assert statuses["serve"].json() == {"predictions": [42.0]}
        assert "$MLFLOW_TRACKING_TOKEN" in server.said
        administrator(up)("POST", "v1/teams/", {"name": "quay"}, expect=201)
        up.command("user", "create", "quentin", "--team", "quay", "--password-stdin", stdin="a long enough password\n")
        outside = up.command("token", "create", "quentin", "--scope", "serve")
        assert server.post(body, Authorization=f"Bearer {outside}").status_code == 403


def test_it_may_be_opened_and_says_so(env: dict[str, str], doubling: str, tmp_path: Path) -> None:
    with serving(env, tmp_path, "models:/doubling", "-h", EVERYWHERE, "--open") as server:
        assert server.post({"data": [[21.0]]}).json() == {"predictions": [42.0]}
        assert "WARNING: open." in server.log.read_text()


def test_where_nobody_checks_tokens_it_does_not_begin(env: dict[str, str], tmp_path: Path) -> None:
    folder = write_model(tmp_path / "model")
    alone = {**env, "MLFLOW_TRACKING_URI": f"http://127.0.0.1:{free_port()}"}
    said = refused(alone, tmp_path, str(folder), "-h", EVERYWHERE, "-p", str(free_port()))
    assert "callers need a token" in said and "--open" in said
    said = refused(env, tmp_path, str(folder), "-h", EVERYWHERE, "--server", "mlflow", "-p", str(free_port()))
    assert "MLflow's server can't check tokens" in said


def test_an_environment_is_built_for_it(env: dict[str, str], doubling: str, tmp_path: Path) -> None:
    with serving(env, tmp_path, f"runs:/{doubling}/model", manager="uv") as server:
        assert server.post({"data": [[4.0], [5.0]]}).json() == {"predictions": [8.0, 10.0]}
        assert f"Built the environment {env['SLIPWAY_HOME']}/environments/" in server.log.read_text()
        assert server.stop(signal.SIGINT) == 0
    with serving(env, tmp_path, "models:/doubling/1", manager="uv") as server:
        assert "Using the environment" in server.log.read_text()


def test_what_is_in_flight_is_answered_when_it_stops(env: dict[str, str], tmp_path: Path) -> None:
    answers: list[requests.Response] = []
    folder = write_model(tmp_path / "model")
    with serving(env, tmp_path, str(folder)) as server:
        slow = threading.Thread(target=lambda: answers.append(server.post({"data": [[9.0]]})))
        slow.start()
        until((folder / "data" / "began").exists)
        assert server.stop() == 0
        slow.join()
    assert [(each.status_code, each.json()) for each in answers] == [(200, {"predictions": [18.0]})]


def test_nothing_is_left_of_one_that_was_killed(env: dict[str, str], doubling: str, tmp_path: Path) -> None:
    with serving(env, tmp_path, "models:/doubling/1") as server:
        started = children(server.process.pid)
        assert started
        server.process.kill()
        server.process.wait()
        until(lambda: not any(alive(pid) for pid in started))


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("models:iris-classifier", "written with a slash: models:/iris-classifier"),
        ("models:/nothing", "Registered Model with name=nothing not found on http"),
        ("models:/doubling/7", "Model Version (name=doubling, version=7) not found on http"),
        ("models:/doubling@nobody", "Registered model alias nobody not found"),
        ("models:/doubling/Staging", "doubling has no version in Staging"),
        ("runs:/nothing/model", "Run with id=nothing not found on http"),
        ("runs:/{doubling}/other", "it may be one of runs:/"),
        ("nothing-here", "There is no folder 'nothing-here' here"),
    ],
)
def test_an_unknown_model_is_one_clear_line(
    env: dict[str, str], doubling: str, tmp_path: Path, uri: str, words: str
) -> None:
    said = refused(env, tmp_path, uri.format(doubling=doubling), "-p", str(free_port()))
    assert words in said


def test_a_wrong_token_is_one_clear_line(env: dict[str, str], tmp_path: Path) -> None:
    said = refused({**env, "MLFLOW_TRACKING_TOKEN": "wrong"}, tmp_path, "models:/doubling", "-p", str(free_port()))
    assert "does not accept the token in MLFLOW_TRACKING_TOKEN" in said
    nobody = {name: value for name, value in env.items() if name != "MLFLOW_TRACKING_TOKEN"}
    said = refused(nobody, tmp_path, "models:/doubling", "-p", str(free_port()))
    assert "does not know who you are; set MLFLOW_TRACKING_TOKEN" in said


def test_a_taken_port_is_said_at_once(env: dict[str, str], tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = refused(env, tmp_path, "models:/nothing-is-asked-yet", "-p", str(port))
    assert said.startswith(f"port {port} is taken by ") and "(process " in said


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"code/doubling.py": "raise RuntimeError('it is broken')"}, "RuntimeError: it is broken"),
        ({"code/doubling.py": "import no_such_package"}, "No module named 'no_such_package'"),
        ({"MLmodel": "flavors: {}"}, "can't be loaded"),
    ],
)
def test_a_model_that_can_not_be_loaded(env: dict[str, str], tmp_path: Path, files: dict[str, str], words: str) -> None:
    folder = write_model(tmp_path / "model", **files)
    said = refused(env, tmp_path, str(folder), "-p", str(free_port()))
    assert said.startswith("The model can't be loaded") and words in said


def test_an_environment_that_can_not_be_built(env: dict[str, str], tmp_path: Path) -> None:
    folder = write_model(tmp_path / "model", **{"requirements.txt": "mlflow-skinny==0.0.1\n"})
    said = refused(env, tmp_path, str(folder), "-p", str(free_port()), "--env-manager", "uv")
    assert "mlflow-skinny==0.0.1" in said
