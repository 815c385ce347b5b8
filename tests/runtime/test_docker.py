"""Containers of a real Docker engine."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import docker
import pytest

from apps.core.errors import InvalidInput, Unavailable
from apps.runtime.base import Work
from apps.runtime.docker import Docker, Rules, abilities, reap
from apps.runtime.docker.containers import Running
from apps.runtime.docker.rules import Folder
from apps.runtime.environments.kinds import DockerEnvironment
from apps.runtime.limits import Limits
from tests.engine import IMAGE, client_of

pytestmark = pytest.mark.xdist_group("docker")
RULES = Rules(network="host", networks=("host",), sites=("here",))
Start = Callable[..., Running]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "project"
    (place / "sub").mkdir(parents=True)
    (place / "sub" / "say.sh").write_text("echo $1 says hello\n")
    (place / ".git").mkdir()
    return place


@pytest.fixture
def start(engine: str, folder: Path) -> Iterator[Start]:
    """Starts a command, and leaves nothing behind."""
    started: list[Running] = []

    def start(command: str, *, rules: Rules = RULES, limits: Limits | None = None, **more: Any) -> Running:
        environment = DockerEnvironment(more.pop("image", IMAGE), more.pop("volumes", ()))
        backend = Docker(environment, more.pop("arguments", {}), rules, print)
        variables = {"MLFLOW_TRACKING_URI": "http://127.0.0.1:5000", **more.pop("variables", {})}
        started.append(backend.start(Work(command, folder, variables, limits or Limits(), **more)))
        return started[-1]

    yield start
    for each in started:
        each.close()


@pytest.fixture
def client(engine: str) -> Iterator[docker.DockerClient]:
    client = client_of(engine)
    yield client
    client.close()


def all_of(running: Running) -> tuple[str, int | None]:
    return b"".join(running.output()).decode(), running.wait(20)


def test_output_in_order_and_the_exit_code(start: Start) -> None:
    text, code = all_of(start("for i in 1 2 3; do echo out $i; echo err $i >&2; done; exit 3"))
    assert text.splitlines() == ["out 1", "err 1", "out 2", "err 2", "out 3", "err 3"]
    assert code == 3


def test_the_projects_files_are_there_and_its_own(start: Start, folder: Path) -> None:
    text, code = all_of(start("pwd; sh sub/say.sh Jo; ls -a; echo x > sub/new"))
    assert (text.split(), code) == (["/mlflow/projects/code", "Jo", "says", "hello", ".", "..", "sub"], 0)
    assert not (folder / "sub" / "new").exists()


def test_another_user_of_the_image_may_write_beside_the_code_and_has_no_rights(start: Start) -> None:
    running = start(
        "echo x > new && id -u; grep -E 'CapEff|CapBnd|NoNewPrivs' /proc/self/status", arguments={"u": "1000"}
    )
    assert all_of(running)[0].split() == ["1000", "CapEff:", "0" * 16, "CapBnd:", "0" * 16, "NoNewPrivs:", "1"]


def test_variables_are_the_runs_and_none_of_ours(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://secret")
    text, _ = all_of(start("env", variables={"LEVEL": "3 'quoted'"}))
    assert "LEVEL=3 'quoted'\n" in text
    assert "secret" not in text
    assert "MLFLOW_TRACKING_URI=http://127.0.0.1:5000\n" in text  # it is in the host's network


def test_without_a_network_there_is_none(start: Start) -> None:
    assert all_of(start("ls /sys/class/net", limits=Limits(network=False)))[0] == "lo\n"
    assert all_of(start("ls /sys/class/net", arguments={"network": "none"}))[0] == "lo\n"


def test_limits_hold_or_are_said_not_to(start: Start) -> None:
    limits = Limits(memory_mb=32, processes=10, file_mb=1, disk_mb=64, cpus=0.5)
    running = start("i=0; while [ $i -lt 20 ]; do sleep 3 & i=$((i+1)); done", limits=limits)
    assert "can't fork" in all_of(running)[0]
    assert all("disk" in said for said in running.unenforced)
    text, _ = all_of(start("dd if=/dev/zero of=/tmp/x bs=64k count=100; stat -c %s /tmp/x", limits=limits))
    assert text.splitlines()[-1] == str(1024**2)
    hungry = start("dd if=/dev/zero of=/dev/null bs=100M count=1", limits=limits)
    assert all_of(hungry)[1] == 128 + signal.SIGKILL
    assert hungry.note() == "It took more memory than it may."


def test_limits_of_arguments_only_lower(start: Start, client: docker.DockerClient) -> None:
    running = start("sleep 60", limits=Limits(memory_mb=64, processes=50), arguments={"m": "1g", "pids-limit": "20"})
    made = client.containers.get(running.id).attrs["HostConfig"]
    assert (made["Memory"], made["MemorySwap"], made["PidsLimit"]) == (64 * 1024**2, 64 * 1024**2, 20)
    assert (made["Privileged"], made["Binds"], made["CapDrop"]) == (False, None, ["ALL"])


def test_a_volume_of_the_operators_is_read_from(start: Start, tmp_path: Path) -> None:
    (tmp_path / "sets").mkdir()
    (tmp_path / "sets" / "rows.csv").write_text("1,2\n")
    rules = Rules(volumes=(Folder(tmp_path / "sets"),), network="none", sites=("here",))
    text, code = all_of(
        start("cat /sets/rows.csv; echo x > /sets/new", rules=rules, volumes=(f"{tmp_path}/sets:/sets",))
    )
    assert text.startswith("1,2\n")
    assert "Read-only file system" in text
    assert code != 0


@pytest.mark.parametrize("command", ["sleep 300; echo more", "sh -c 'sleep 300 & sleep 300'; echo more"])
def test_who_is_asked_to_end_ends_and_nothing_comes_after(command: str, start: Start) -> None:
    running = start(f"echo on; {command}")
    output = running.output()
    assert next(output) == b"on\n"
    threading.Thread(target=running.kill, args=(60.0,)).start()
    began = time.monotonic()
    assert b"more" not in b"".join(output)
    assert running.wait(1) == 128 + signal.SIGTERM
    assert time.monotonic() - began < 60  # it was not killed only when the grace was over


def test_it_may_say_good_bye(start: Start) -> None:
    running = start("trap 'echo bye; exit 0' TERM; echo on; while true; do sleep 0.1; done")
    output = running.output()
    assert next(output) == b"on\n"
    running.kill(8.0)
    assert b"bye" in b"".join(output)


def test_who_does_not_listen_is_killed(start: Start) -> None:
    running = start("sh -c 'trap \"\" TERM; echo on; while true; do sleep 0.1; done'")
    assert next(running.output()) == b"on\n"
    running.kill(0.5)
    assert running.wait(1) == 128 + signal.SIGKILL


def test_waiting_for_one_that_goes_on_is_none(start: Start) -> None:
    running = start("sleep 60")
    assert running.wait(0.2) is None


def test_nothing_is_left(start: Start, client: docker.DockerClient) -> None:
    running = start("true")
    all_of(running)
    running.close()
    running.close()
    assert client.containers.list(all=True, filters={"id": running.id}) == []


def test_a_container_that_somebody_removed_is_a_clear_error(start: Start, client: docker.DockerClient) -> None:
    running = start("sleep 60")
    client.containers.get(running.id).remove(force=True)
    assert b"".join(running.output()) == b""
    with pytest.raises(Unavailable, match="removed"):
        running.wait(5)
    running.kill(1.0)


def test_an_image_that_is_nowhere_is_a_clear_error(start: Start) -> None:
    with pytest.raises(InvalidInput, match="'slipway-test/none:1' is not on this host and can't be pulled"):
        start("true", image="slipway-test/none:1")


def test_what_cannot_begin_leaves_no_container(start: Start, client: docker.DockerClient) -> None:
    with pytest.raises(InvalidInput, match="engine refused"):
        start("true", gpus=("0",))  # there is none, and made up ones can't be given
    with pytest.raises(InvalidInput, match="with gpus"):
        start("true", arguments={"gpus": "all"})
    assert client.containers.list(all=True) == []


def test_tags_say_which_image(start: Start, client: docker.DockerClient) -> None:
    tags = start("true").tags
    assert tags["mlflow.project.env"] == "docker"
    assert tags["mlflow.docker.image.uri"] == IMAGE
    assert tags["mlflow.docker.image.id"] == client.images.get(IMAGE).id


def test_a_worker_knows_its_engine(engine: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert abilities()["is_there"] is True
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody")
    assert abilities() == {"is_there": False}


def test_containers_of_workers_that_died_are_ended_and_no_others(start: Start, client: docker.DockerClient) -> None:
    lost, held = start("sleep 300", run_id=7, fence=1), start("sleep 300", run_id=7, fence=2)
    others = start("sleep 300", run_id=7, fence=1, rules=Rules(network="host", sites=("elsewhere",)))
    asked: list[set[tuple[int, int]]] = []

    def still_held(found: set[tuple[int, int]]) -> set[tuple[int, int]]:
        asked.append(found)
        return {(7, 2)}

    assert reap(("before", "here"), still_held) == 1
    assert asked == [{(7, 1), (7, 2)}]
    assert {each.id for each in client.containers.list()} == {held.id, others.id}
    assert b"".join(lost.output()) == b""


def test_where_there_is_no_engine_there_is_nothing_to_end(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/nobody")
    assert reap(("here",), lambda found: found) == 0


def test_what_is_not_wanted_any_more_is_not_pulled(engine: str, folder: Path, client: docker.DockerClient) -> None:
    class NoMore(Exception):
        pass

    def check() -> None:
        raise NoMore

    backend = Docker(DockerEnvironment("slipway-test/none:1"), {}, RULES, print, check)
    with pytest.raises(NoMore):
        backend.start(Work("true", folder, {}, Limits()))
    assert client.containers.list(all=True) == []


def test_of_those_that_ended_while_their_worker_was_dead_the_code_is_left(start: Start, tmp_path: Path) -> None:
    running = start("exit 3", run_id=7, fence=2, receipt=tmp_path / "receipt")
    assert all_of(running) == ("", 3)
    assert reap(("here",), lambda found: found) == 0
    assert (tmp_path / "receipt").read_text() == "3"


def test_of_those_that_go_on_there_is_no_code(start: Start, tmp_path: Path) -> None:
    start("sleep 300", run_id=7, fence=2, receipt=tmp_path / "receipt")
    assert reap(("here",), lambda found: found) == 0
    assert not (tmp_path / "receipt").exists()
