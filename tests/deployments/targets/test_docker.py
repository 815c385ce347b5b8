"""Instances in containers of a real Docker engine, of an image that is built there."""

from __future__ import annotations

import http.client
import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import docker
import pytest

from apps.core.errors import InvalidInput, Unavailable
from apps.deployments.targets.base import NotPrepared, Observation, Spec, Started
from apps.deployments.targets.docker import DockerTarget
from apps.deployments.targets.docker.containers import is_own
from apps.deployments.targets.docker.engine import DEPLOYMENT, SITE
from apps.deployments.targets.export import ExportKind
from apps.deployments.targets.process.health import healthy
from tests.deployments.targets.making import BASE, body, import_base, make_model, make_spec
from tests.deployments.targets.test_export import make_bundle, unpacked
from tests.engine import client_of, docker_engine
from tests.servers import free_port

pytestmark = pytest.mark.xdist_group("docker")
_SECONDS = 60.0


@pytest.fixture(scope="module")
def engine() -> Iterator[str]:
    """An engine that holds an image with all that the model needs."""
    with docker_engine() as address:
        client = client_of(address)
        import_base(client)
        client.close()
        before = os.environ.get("DOCKER_HOST")
        os.environ["DOCKER_HOST"] = address
        yield address
        os.environ.pop("DOCKER_HOST")
        if before is not None:
            os.environ["DOCKER_HOST"] = before


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_model(tmp_path_factory.mktemp("versions") / "model")


@pytest.fixture(scope="module")
def target(engine: str) -> DockerTarget:
    # The path of a socket has to be short.
    return a_target(Path(mkdtemp(prefix="slipway-t-")))


def a_target(root: Path) -> DockerTarget:
    return DockerTarget(root, ("here", "before"), "host", BASE, "slipway-serving", 10**12)


@pytest.fixture(scope="module")
def prepared(target: DockerTarget, model: Path) -> list[str]:
    """The image is built; what was said meanwhile."""
    said: list[str] = []
    target.prepare(make_spec(model), said.append, lambda: False)
    return said


@pytest.fixture
def start(target: DockerTarget, prepared: list[str]) -> Iterator[Callable[[Spec], Started]]:
    """Starts an instance, and leaves nothing behind."""
    started: list[Started] = []

    def start(spec: Spec) -> Started:
        started.append(target.start(spec))
        return started[-1]

    yield start
    for each in started:
        target.end(each.handle, 0)
        until(target, each, lambda seen: not seen.is_alive)
        target.forget(each.handle)


@pytest.fixture(scope="module")
def client(engine: str) -> Iterator[docker.DockerClient]:
    client = client_of(engine)
    yield client
    client.close()


def until(target: DockerTarget, started: Started, wanted: Callable[[Observation], bool]) -> Observation:
    end = time.monotonic() + _SECONDS
    while True:
        seen = target.observe({1: started.handle})[1]
        if wanted(seen):
            return seen
        assert time.monotonic() < end, (seen, target.log(started.handle, -3000, 3000).text)
        time.sleep(0.1)


def ready(target: DockerTarget, started: Started) -> Observation:
    return until(target, started, lambda seen: seen.is_ready or not seen.is_alive)


def ask(address: str, content: bytes, **headers: str) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("instance", timeout=30)
    if address.startswith("unix:"):
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(address.removeprefix("unix:"))
    else:
        host, _, port = address.removeprefix("http://").rpartition(":")
        connection.sock = socket.create_connection((host, int(port)))
    connection.request("POST", "/invocations", content, {"Content-Type": "application/json", **headers})
    answer = connection.getresponse()
    text = answer.read()
    return answer.status, json.loads(text) if text else None


def test_an_image_is_built_once_for_each_content(target: DockerTarget, prepared: list[str], model: Path) -> None:
    assert prepared[-1] == "The image was built."
    said: list[str] = []
    target.prepare(make_spec(model, 2, workers=2), said.append, lambda: False)
    assert said == ["The image was there already."]


def test_its_life_without_a_network_by_a_socket_that_is_ours_alone(
    target: DockerTarget, start: Callable[[Spec], Started], model: Path, client: docker.DockerClient
) -> None:
    spec = make_spec(model, 3, memory_mb=700, cpus=1.0, env_vars={"GREETING": "hello"})
    started = start(spec)
    assert (started.isolation, started.address[:5]) == ("container", "unix:")
    assert not any(each.startswith("network") for each in started.unenforced)
    seen = ready(target, started)
    assert (seen.is_ready, seen.address) == (True, started.address)
    assert ask(started.address, body(1, 2)) == (200, {"predictions": [2, 4]})
    user, may_write, interfaces = ask(started.address, body("whoami"))[1]["predictions"]
    assert user == (10001 if os.geteuid() == 0 else os.geteuid())
    assert not may_write
    # The loopback alone.
    assert interfaces == 1
    assert Path(started.address.removeprefix("unix:")).stat().st_mode & 0o077 == 0
    assert "loading hello" in target.log(started.handle, 0, 100_000).text
    _another_supervisor_finds_it(target, spec, started)
    _and_ends_it(target, started, client)


def _another_supervisor_finds_it(target: DockerTarget, spec: Spec, started: Started) -> None:
    other = a_target(target.root)
    assert other.start(spec) == started
    assert other.observe({5: started.handle})[5].is_ready
    # One that has not been here for long may be one whose row is being committed.
    assert other.strays([]) == []


def _and_ends_it(target: DockerTarget, started: Started, client: docker.DockerClient) -> None:
    target.end(started.handle, 20)
    seen = until(target, started, lambda seen: not seen.is_alive)
    assert (seen.exit_code, seen.message) == (0, "")
    target.forget(started.handle)
    assert not client.containers.list(all=True, filters={"id": started.handle["container"]})
    assert not (target.root / "3").exists()
    seen = target.observe({1: started.handle})[1]
    assert (seen.is_alive, seen.message) == (False, "Its container was removed by somebody else.")


def test_a_container_has_no_privileges(
    target: DockerTarget, start: Callable[[Spec], Started], model: Path, client: docker.DockerClient
) -> None:
    started = start(make_spec(model, 4, memory_mb=700, cpus=0.5))
    container = client.containers.get(started.handle["container"])
    host = container.attrs["HostConfig"]
    assert (host["CapDrop"], host["ReadonlyRootfs"], host["Privileged"]) == (["ALL"], True, False)
    assert host["SecurityOpt"] == ["no-new-privileges"]
    assert (host["Memory"], host["NanoCpus"], host["NetworkMode"]) == (700 * 1024 * 1024, 500_000_000, "none")
    assert (container.labels[SITE], container.labels[DEPLOYMENT]) == ("here", "iris/1")


def test_by_a_port_callers_need_the_key(target: DockerTarget, start: Callable[[Spec], Started], model: Path) -> None:
    started = start(make_spec(model, 6, key="sesame", bind="127.0.0.1"))
    assert started.address.startswith("http://127.0.0.1:")
    assert any(each.startswith("network") for each in started.unenforced)
    assert ready(target, started).is_ready
    key = {"X-Slipway-Instance-Secret": "sesame"}
    assert ask(started.address, body(21), **key) == (200, {"predictions": [42]})
    assert ask(started.address, body(21))[0] == 401


def test_a_model_that_does_not_load_says_why(
    target: DockerTarget, start: Callable[[Spec], Started], model: Path
) -> None:
    started = start(make_spec(model, 8, env_vars={"BROKEN": "yes"}))
    seen = until(target, started, lambda seen: not seen.is_alive)
    assert seen.exit_code == 3
    assert "no weights here" in seen.message
    piece = target.log(started.handle, 0, 100_000)
    assert "Traceback" in piece.text
    assert target.log(started.handle, piece.end, 100).text == ""
    assert target.log(started.handle, 10, 5).text == piece.text.encode()[10:15].decode()


def test_what_takes_too_much_memory_says_so(
    target: DockerTarget, start: Callable[[Spec], Started], model: Path, client: docker.DockerClient
) -> None:
    if not client.info().get("MemoryLimit"):
        pytest.skip("the engine's host can't limit memory")
    started = start(make_spec(model, 9, memory_mb=64))
    seen = until(target, started, lambda seen: not seen.is_alive)
    assert seen.message == "The memory limit of 64 MB was reached."


def test_an_image_that_is_not_here_is_asked_for(target: DockerTarget, prepared: list[str], model: Path) -> None:
    other = make_model(model.parent / "other")
    (other / "requirements.txt").write_text("mlflow-skinny\n")
    with pytest.raises(NotPrepared):
        target.start(make_spec(other, 10))


def test_a_package_that_there_is_none_of_fails_the_build_with_its_words(target: DockerTarget, model: Path) -> None:
    other = make_model(model.parent / "lacking")
    (other / "requirements.txt").write_text("mlflow-skinny\nsurely-not-a-package==1\n")
    with pytest.raises(InvalidInput, match="surely-not-a-package"):
        target.prepare(make_spec(other), lambda _: None, lambda: False)


def test_a_build_that_nobody_wants_any_more_is_left(target: DockerTarget, model: Path) -> None:
    other = make_model(model.parent / "cancelled")
    (other / "requirements.txt").write_text("mlflow-skinny\npandas\n")
    with pytest.raises(Unavailable, match="cancelled"):
        target.prepare(make_spec(other), lambda _: None, lambda: True)


def test_strays_are_found_by_their_labels(
    target: DockerTarget,
    start: Callable[[Spec], Started],
    model: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("apps.deployments.targets.docker.target._YOUNG_SECONDS", -5)
    started = start(make_spec(model, 11))
    assert target.strays([11]) == []
    assert target.strays(iter(())) == [{"instance": 11, "container": started.handle["container"]}]


def test_a_bundle_is_built_and_answers_as_sagemaker_starts_it(
    client: docker.DockerClient, model: Path, tmp_path: Path
) -> None:
    top = unpacked(make_bundle(model, ExportKind.SAGEMAKER, base=BASE), tmp_path / "out")
    image, _ = client.images.build(path=str(top), network_mode="none", rm=True)
    assert image.attrs["Config"]["User"] == "10001:10001"
    port = free_port()
    container = client.containers.run(
        image.id,
        "serve",
        detach=True,
        network_mode="host",
        read_only=True,
        tmpfs={"/tmp": ""},
        cap_drop=["ALL"],
        environment={"SLIPWAY_PORT": str(port), "SLIPWAY_SECRET": "sesame"},
    )
    try:
        end = time.monotonic() + _SECONDS
        while not healthy({1: f"http://127.0.0.1:{port}"}):
            assert time.monotonic() < end, container.logs()
            time.sleep(0.1)
        key = {"X-Slipway-Instance-Secret": "sesame"}
        assert ask(f"http://127.0.0.1:{port}", body(21), **key) == (200, {"predictions": [42]})
        assert ask(f"http://127.0.0.1:{port}", body(21))[0] == 401
    finally:
        container.remove(force=True)


def test_a_socket_that_is_a_way_to_another_one_is_not_connected_to(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as others, socket.socket(socket.AF_UNIX) as own:
        others.bind(str(tmp_path / "docker.sock"))
        folder = tmp_path / "run"
        folder.mkdir()
        if os.geteuid() == 0:
            os.chown(folder, 10001, 10001)
        link = folder / "http"
        assert not is_own(f"unix:{link}")
        link.symlink_to(tmp_path / "docker.sock")
        assert not is_own(f"unix:{link}")
        link.unlink()
        own.bind(str(link))
        assert is_own(f"unix:{link}")
        # From now on it can't be replaced.
        assert folder.stat().st_uid == os.geteuid()
        assert is_own("http://127.0.0.1:8080")


def test_without_an_engine_nothing_is_offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none")
    assert "No Docker engine answers" in a_target(tmp_path).lacks()[0]
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:9")
    assert a_target(tmp_path).lacks()
