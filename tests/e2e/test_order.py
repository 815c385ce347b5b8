"""The whole order: from iris.csv by `slipway run` to a prediction by curl, with somebody's approval in between."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.browser import chromium, signed_in
from tests.e2e.clients import IRIS, run_script
from tests.e2e.registry import PASSWORD, Caller, ask_for_production, govern, newcomer
from tests.e2e.serving import PATIENCE, SLIPWAY, client_env, serving
from tests.servers import Server, free_port, slipway_up

pytestmark = [pytest.mark.browser, pytest.mark.client]
SCRIPTS = Path(__file__).parent / "scripts"
NAME = "iris-classifier"
# The order's own rows, in its own words, with what they are.
BODIES = (
    '{"data": [[5.1, 3.5, 1.4, 0.2], [4.9, 3.0, 1.4, 0.2]]}',
    '{"data": {"values": [[5.1, 3.5, 1.4, 0.2], [4.9, 3.0, 1.4, 0.2]]}}',
)
ANSWER = {"predictions": ["setosa", "setosa"]}


@dataclass
class House:
    """An installation with Tom, who works, and Mia, who approves."""

    server: Server
    browser: Any
    tom: Caller
    mia: Caller

    def page_of(self, who: Caller) -> Any:
        """A browser of somebody, signed in."""
        return signed_in(self.browser, self.server, who.name, PASSWORD)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    home = tmp_path / "up"
    home.mkdir()
    with chromium() as browser, slipway_up(home) as server:
        yield House(server, browser, newcomer(server, "tom"), newcomer(server, "mia", "maintainer"))


def test_from_the_flowers_to_a_prediction(house: House, tmp_path: Path) -> None:
    """Each step is what the one before it left."""
    run_id, folder = _tom_trains(house, tmp_path)
    _tom_registers(house, run_id, folder)
    _tom_asks(house)
    _mia_approves(house)
    port = free_port()
    _tom_deploys(house, port)
    _everybody_calls(house, port)
    _the_command_line_serves_it_too(house, tmp_path)


def _tom_trains(house: House, home: Path) -> tuple[str, Path]:
    project, folder = home / "iris-classification", home / "model.pkl"
    shutil.copytree(IRIS, project)
    env = {**client_env(house.server, home / "tom"), "MLFLOW_TRACKING_TOKEN": house.tom.token}
    asked = [str(SLIPWAY), "run", "iris-classification", "-P", "dataset=iris.csv", "-P", f"output={folder}"]
    done = subprocess.run(asked, cwd=home, env=env, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"[-6000:]
    found = house.tom("POST", "2.0/mlflow/runs/search", {"experiment_ids": _experiments(house.tom)})["runs"]
    assert [run["info"]["status"] for run in found] == ["FINISHED"]
    assert {one["key"]: one["value"] for one in found[0]["data"]["params"]}["kernel"] == "linear"
    return found[0]["info"]["run_id"], folder


def _experiments(who: Caller) -> list[str]:
    found = who("POST", "2.0/mlflow/experiments/search", {"max_results": 100})["experiments"]
    return [one["experiment_id"] for one in found]


def _tom_registers(house: House, run_id: str, folder: Path) -> None:
    script = SCRIPTS / "register_trained.py"
    printed = run_script(Path(sys.executable), script, house.tom.env(), folder.parent, run_id, str(folder), NAME)
    assert printed.splitlines()[-1] == "1"
    govern(house.server, NAME, approvals=1, approver_role="maintainer")


def _tom_asks(house: House) -> None:
    with house.page_of(house.tom) as page:
        ask_for_production(page, NAME, 1, "It knows all flowers of the test.")
    assert house.tom.stage_of(NAME, "1") == "None"


def _mia_approves(house: House) -> None:
    with house.page_of(house.mia) as page:
        page.goto("/approvals/")
        page.get_by_role("link", name=f"{NAME} version 1").click()
        page.wait_for_url("**/approvals/*/")
        page.get_by_role("button", name="Approve").click()
        page.get_by_text("It was approved").first.wait_for()
    assert house.tom.stage_of(NAME, "1") == "Production"


def _tom_deploys(house: House, port: int) -> None:
    """In the wizard: what is in production, at an HTTP port of its own, with a memory limit."""
    with house.page_of(house.tom) as page:
        page.set_default_timeout(PATIENCE * 1000)
        page.goto(f"/models/default/{NAME}/versions/1/")
        page.locator(".page-actions").get_by_role("link", name="Deploy").click()
        page.fill("#id_name", "iris")
        page.get_by_label("Follow a stage").check()
        page.get_by_label("At an HTTP port of its own too").check()
        page.fill("#id_port", str(port))
        page.fill("#id_memory_mb", "1024")
        page.get_by_role("button", name="Deploy").click()
        page.wait_for_url("**/deployments/iris/")
        page.wait_for_selector("#deployment-pill:has-text('Ready')")
        page.locator("#body").fill(BODIES[0])
        page.get_by_role("button", name="Send").click()
        page.wait_for_selector("[data-status]:text-is('200')")
        assert json.loads(str(page.text_content("#answer"))) == ANSWER


def _everybody_calls(house: House, port: int) -> None:
    for body in BODIES:
        assert json.loads(_curl(f"http://127.0.0.1:{port}/invocations", body)) == ANSWER
    gateway = f"{house.server.url}/serve/iris/invocations"
    assert json.loads(_curl(gateway, BODIES[0], f"Authorization: Bearer {house.tom.token}")) == ANSWER
    assert json.loads(_curl(gateway, BODIES[0]))["error_code"] == "UNAUTHENTICATED"


def _curl(url: str, body: str, *headers: str) -> str:
    given = [word for header in ("Content-Type: application/json", *headers) for word in ("-H", header)]
    command = ["curl", "-sS", "-X", "POST", *given, "-d", body, url]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout


def _the_command_line_serves_it_too(house: House, home: Path) -> None:
    """The order's own spelling, without a version: what is in production, and the log says so."""
    env = {**os.environ, **client_env(house.server, home / "tom"), "MLFLOW_TRACKING_TOKEN": house.tom.token}
    with serving(env, home, f"models:/{NAME}") as served:
        assert json.loads(_curl(f"{served.url}/invocations", BODIES[0])) == ANSWER
        assert "version 1" in served.log.read_text() + served.said
