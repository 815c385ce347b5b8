"""Web and worker are killed while people decide: no request is half decided, no hook is lost or tells what isn't so."""

from __future__ import annotations

import json
import os
import random
import signal
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.receiver import Receiver, receiver
from tests.servers import Server, slipway_up

PASSWORD = "a good password for kills"
# At least so many versions, and so many kills of each part: a quick machine decides more versions meanwhile.
VERSIONS = int(os.environ.get("SLIPWAY_TEST_DECISIONS", "24"))
KILLS = 2
# Of each part: what dies more often is started again later and later, so that a slow machine has nobody who answers.
MOST_KILLS = 5
PARTS = ("server", "worker")
# A lease and the lock of a sender that was killed have to run out, and a sweep has to come by.
PATIENCE = 150


class Person:
    """Calls until somebody answers: what a killed server says is nothing."""

    def __init__(self, server: Server, token: str) -> None:
        self._url = server.url
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {token}"

    def __call__(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        end = time.monotonic() + 90
        while time.monotonic() < end:
            try:
                sent = {"params": body} if method == "GET" else {"json": body or {}}
                answer = self._session.request(method, f"{self._url}/api/{path}", timeout=15, **sent)
                if answer.status_code not in (502, 503):
                    return answer.status_code, answer.json()
            except requests.RequestException:
                pass
            time.sleep(0.2)
        raise AssertionError(f"nobody answered {method} {path}")


@pytest.fixture
def listening() -> Iterator[Receiver]:
    with receiver() as there:
        yield there


@pytest.mark.xdist_group("kill")
def test_kill_9_of_web_and_worker_while_people_decide(tmp_path: Path, listening: Receiver) -> None:
    with slipway_up(tmp_path, SLIPWAY_OUTGOING_ALLOW="127.0.0.1") as server:
        admin = Person(server, server.token)
        tom, mia = (_newcomer(server, *who) for who in (("tom", "member"), ("mia", "maintainer")))
        _prepare(admin, tom, listening)
        stop, killed = threading.Event(), Counter[str]()
        killer = threading.Thread(target=_kill, args=(server, stop, killed), daemon=True)
        killer.start()
        numbers: list[str] = []
        while len(numbers) < VERSIONS or min(killed[part] for part in PARTS) < KILLS:
            # On a slow machine it is through with its kills before all are decided.
            assert killer.is_alive() or min(killed[part] for part in PARTS) >= KILLS
            numbers.append(_new_version(tom))
            _ask_and_approve(tom, mia, numbers[-1])
        stop.set()
        killer.join(30)
        for number in numbers:
            _check_version(admin, number)
        _check_hooks(listening, set(numbers))


def _prepare(admin: Person, tom: Person, listening: Receiver) -> None:
    hook = {"name": "watcher", "url": listening.url, "dialect": "generic", "events": ["model_version.stage_changed"]}
    assert admin("POST", "v1/webhooks/", hook)[0] == 201
    assert tom("POST", "2.0/mlflow/registered-models/create", {"name": "watched"})[0] == 200


def _new_version(tom: Person) -> str:
    """The number that was answered. A version whose answer died with the server stays as it is, and nobody asks."""
    body = {"name": "watched", "source": f"runs:/{'0' * 32}/model"}
    status, answer = tom("POST", "2.0/mlflow/model-versions/create", body)
    assert status == 200
    return str(answer["model_version"]["version"])


def _ask_and_approve(tom: Person, mia: Person, number: str) -> None:
    about = {"name": "watched", "version": number, "stage": "Production"}
    # The answer to the first call may have died with the server: the second is told that it is there already.
    assert tom("POST", "2.0/mlflow/transition-requests/create", about)[0] in (200, 400)
    body = {**about, "archive_existing_versions": False}
    assert mia("POST", "2.0/mlflow/transition-requests/approve", body)[0] in (200, 404)


def _kill(server: Server, stop: threading.Event, killed: Counter[str]) -> None:
    chance = random.Random(2)
    while not stop.wait(chance.uniform(0.5, 2.0)):
        left = [part for part in PARTS if killed[part] < MOST_KILLS]
        if not left:
            return
        part = chance.choice(left)
        for pid in _children(server.process.pid, part):
            os.killpg(pid, signal.SIGKILL)
            killed[part] += 1


def _children(parent: int, part: str) -> list[int]:
    """The processes that the installation started for one part; each leads a group of its own."""
    pids = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return [int(pid) for pid in pids if part in _command(pid)]


def _command(pid: str) -> list[str]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    except OSError:
        return []


def _check_version(admin: Person, number: str) -> None:
    about = {"name": "watched", "version": number}
    version = admin("GET", "2.0/mlflow/model-versions/get", about)[1]["model_version"]
    done = Counter(each["activity_type"] for each in admin("GET", "2.0/mlflow/activities/list", about)[1]["activities"])
    assert version["current_stage"] == "Production"
    assert done == {"REQUESTED_TRANSITION": 1, "APPROVED_REQUEST": 1, "APPLIED_TRANSITION": 1}
    assert admin("GET", "2.0/mlflow/transition-requests/list", about)[1]["requests"] == []


def _check_hooks(listening: Receiver, wanted: set[str]) -> None:
    end = time.monotonic() + PATIENCE
    while set(_told(listening)) != wanted and time.monotonic() < end:
        time.sleep(0.5)
    told = _told(listening)
    assert set(told) == wanted
    # A call may be made again, under the same id: a receiver knows it by that.
    assert all(len(ids) == 1 for ids in told.values())


def _told(listening: Receiver) -> dict[str, set[str]]:
    """The ids of the deliveries about each version's way into Production."""
    told: dict[str, set[str]] = defaultdict(set)
    for request in list(listening.got):
        headers = {name.lower(): value for name, value in request.headers.items()}
        data = json.loads(request.body)["data"]
        assert data["to_stage"] == "Production"
        told[data["version"]].add(headers["webhook-id"])
    return told


def _newcomer(server: Server, name: str, role: str) -> Person:
    asked = ("user", "create", name, "--team", "default", "--role", role, "--password-stdin")
    server.command(*asked, stdin=f"{PASSWORD}\n")
    return Person(server, server.command("token", "create", name))
