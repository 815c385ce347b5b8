"""An instance from its start to its end, and who finds it again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from apps.core.errors import DomainError, InvalidInput
from apps.deployments.targets.base import NotPrepared, Started
from apps.runtime.environments import Cache, Needs
from apps.runtime.process.keeping import born_in, is_kept
from tests.deployments.targets.process.conftest import environments_in
from tests.deployments.targets.process.making import Serving
from tests.projects.execution.running import marked
from tests.runtime.keepers import children_of
from tests.waiting import until

_STARTER = """
import json, sys, time
sys.path[:0] = {path!r}
import django
django.setup()
from pathlib import Path
from apps.runtime.abilities import host
from tests.deployments.targets.process.conftest import serving_at
root, environments, model = map(Path, sys.argv[1:])
started = serving_at(root, host(), environments, model).start(7)
print(json.dumps(started.handle), flush=True)
time.sleep(1000)
"""


def test_it_answers_until_it_is_asked_to_end(serving: Serving) -> None:
    started = serving.start()
    assert started.isolation == ("sandboxed" if serving.target.host.bwrap else "separate process")
    seen = serving.until_ready()
    assert seen.address == started.address
    # It is looked at seldom, so at first what was there before the model was loaded.
    until(lambda: (serving.seen().memory_bytes or 0) > 20_000_000)
    assert serving.ask("6 * 7") == "42"
    assert "iris 1 is ready" in serving.log()
    serving.target.end(started.handle, 30)
    seen = serving.until_over()
    assert (seen.exit_code, seen.message) == (0, "")
    serving.target.forget(started.handle)
    assert [place.name for place in serving.target.root.iterdir()] == ["heartbeat"]
    assert serving.seen().message == "Nothing of it is left on this host."


def test_what_is_in_flight_is_answered_before_it_ends(sandboxed: Serving) -> None:
    started = sandboxed.start()
    sandboxed.until_ready()
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(sandboxed.ask, "[print('begun', flush=True), time.sleep(1), 5][2]")
        until(lambda: "begun" in sandboxed.log())
        sandboxed.target.end(started.handle, 30)
        assert answer.result() == "5"
    assert sandboxed.until_over().exit_code == 0


def test_the_same_number_is_the_same_instance(sandboxed: Serving) -> None:
    first, second = sandboxed.start(), sandboxed.start()
    assert first == second
    sandboxed.target.end(first.handle, 0)
    sandboxed.until_over()
    # It had its life.
    assert sandboxed.start() == first and not sandboxed.seen().is_alive


def test_a_number_of_a_database_that_was_there_before_is_another(sandboxed: Serving) -> None:
    first = sandboxed.start()
    spec = replace(sandboxed.spec(), sha256="b" * 64)

    found: list[Started] = []

    def is_started() -> bool:
        try:
            found.append(sandboxed.target.start(spec))
        except DomainError as error:
            assert "still ending" in error.message
        return bool(found)

    until(is_started)
    assert found[-1].handle["start"] != first.handle["start"]
    sandboxed.started[1] = found[-1]
    assert sandboxed.seen().is_alive


def test_without_an_environment_it_says_what_to_do(sandboxed: Serving) -> None:
    with pytest.raises(NotPrepared):
        sandboxed.target.start(replace(sandboxed.spec(), needs=Needs(lines=("nothing-here",))))
    assert sandboxed.target.strays([]) == []


def test_what_it_uses_is_not_cleaned_as_long_as_it_runs(sandboxed: Serving, tmp_path: Path) -> None:
    needs = sandboxed.spec().needs
    cache = Cache(environments_in(tmp_path, needs))
    sandboxed.target = replace(sandboxed.target, environments=tmp_path)
    started = sandboxed.start()
    assert cache.clean(0) == 0 and (tmp_path / needs.key).is_dir()
    sandboxed.target.end(started.handle, 0)
    sandboxed.until_over()
    assert cache.clean(0) == 1


def test_a_supervisor_that_is_killed_is_followed_by_another(
    sandboxed: Serving, model: Path, environments: Path
) -> None:
    command = [sys.executable, "-c", _STARTER.format(path=sys.path), str(sandboxed.target.root), str(environments)]
    with subprocess.Popen([*command, str(model)], stdout=subprocess.PIPE) as supervisor:
        assert supervisor.stdout is not None
        handle = json.loads(supervisor.stdout.readline())
        supervisor.kill()
    # It has not committed the handle: whoever knows the number starts it again and finds it.
    started = sandboxed.start(7)
    assert started.handle == handle
    sandboxed.until_ready(7)
    assert sandboxed.ask("1 + 1", 7) == "2"


def test_strays_are_those_that_nobody_knows(sandboxed: Serving) -> None:
    for number in (3, 4):
        sandboxed.start(number)
    target = sandboxed.target
    assert target.strays([]) == []
    for number in (3, 4):
        os.utime(target.root / str(number), (1, 1))
    assert target.strays([4]) == [{"instance": 3}]
    (stray,) = target.strays(iter([4]))
    target.end(stray, 0)
    sandboxed.until_over(3)
    target.forget(stray)
    os.utime(target.root / "4", (1, 1))
    assert target.strays([4]) == []
    assert sandboxed.seen(4).is_alive


def test_where_its_keeper_is_killed_it_is_gone_and_that_is_said(serving: Serving) -> None:
    serving.start()
    serving.until_ready()
    born = born_in(serving.target.root / "1")
    assert born is not None
    found = marked(str(serving.target.root / "1" / "config.json"))
    os.kill(children_of(born.pid)[0], signal.SIGKILL)
    seen = serving.until_over()
    assert (seen.exit_code, seen.message) == (-9, "Its keeper was killed, and it was ended with it.")
    assert not [pid for pid in found if Path(f"/proc/{pid}").exists()]
    assert not is_kept(serving.target.root / "1")


def test_on_a_network_it_has_a_port_and_a_secret(serving: Serving) -> None:
    started = serving.start(key="of the gateway", bind="127.0.0.1")
    assert started.address.startswith("http://127.0.0.1:")
    serving.until_ready()
    assert serving.post("1")[0] in (401, 403)
    assert serving.ask("1 + 2", headers={"X-Slipway-Instance-Secret": "of the gateway"}) == "3"


def test_mlflows_own_server_knows_no_secret(sandboxed: Serving) -> None:
    with pytest.raises(InvalidInput, match="can't tell its callers"):
        sandboxed.start(key="of the gateway", bind="127.0.0.1", server="mlflow")


def test_mlflows_own_server_answers_in_its_place(sandboxed: Serving) -> None:
    started = sandboxed.start(server="mlflow", workers=2)
    sandboxed.until_ready()
    assert sandboxed.ask("6 * 7") == "42"
    sandboxed.target.end(started.handle, 30)
    assert sandboxed.until_over().message == ""


def test_mlflows_own_server_says_what_it_needs(sandboxed: Serving) -> None:
    """Here not even its client is there."""
    sandboxed.started[1] = sandboxed.target.start(replace(sandboxed.spec(server="mlflow"), needs=Needs()))
    seen = sandboxed.until_over()
    assert seen.exit_code == 3 and "name mlflow among the model's requirements" in seen.message


def test_a_long_folder_has_its_sockets_elsewhere(sandboxed: Serving, tmp_path: Path) -> None:
    deep = tmp_path / ("deep" * 20) / "instances"
    sandboxed.target = replace(sandboxed.target, root=deep)
    started = sandboxed.start()
    assert len(started.address) < 105 and not started.address.startswith(f"unix:{deep}")
    sandboxed.until_ready()
    sandboxed.target.end(started.handle, 0)
    sandboxed.until_over()
    sandboxed.target.forget(started.handle)
    assert not Path(started.address.removeprefix("unix:")).exists()
