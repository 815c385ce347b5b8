"""One installation for all tests of this folder, which run in the order of their files: an engine is no small thing."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.compose import images
from tests.compose.engine import Engine, engine, why_there_is_none
from tests.compose.stack import ADMIN, URL, Stack, stack
from tests.servers import Server


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent == Path(__file__).parent and item.path.name != "test_form.py":
            item.add_marker(pytest.mark.compose)
            item.add_marker(pytest.mark.xdist_group("compose"))
            item.add_marker(pytest.mark.timeout(1800))


@pytest.fixture(scope="session")
def built() -> None:
    """All images, made where there is a network."""
    if why := why_there_is_none():
        pytest.skip(why)
    with engine(apart=False) as builder:
        images.build_all(builder)
    images.fetch_wheels()


@pytest.fixture(scope="session")
def docker(built: None) -> Iterator[Engine]:
    """An engine without any way out."""
    with engine(apart=True) as running:
        yield running


@pytest.fixture(scope="session")
def unpacked(docker: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """An installation that was never started."""
    socket = docker.folder / "sock"
    settings = {
        "SLIPWAY_WHEELS": str(images.fetch_wheels()),
        "SLIPWAY_OFFLINE": "true",
        "SLIPWAY_S3_ENCRYPTION": "AES256",
        "SLIPWAY_DOCKER_SOCKET": str(socket),
        "SLIPWAY_DOCKER_GROUP": str(socket.stat().st_gid),
    }
    with stack(docker, tmp_path_factory.mktemp("compose"), **settings) as made:
        yield made


@pytest.fixture(scope="session")
def up(unpacked: Stack) -> Stack:
    """The same, started; `seconds` says how long that took."""
    unpacked.seconds = unpacked.up()
    return unpacked


@pytest.fixture(scope="session")
def server(up: Stack) -> Iterator[Server]:
    """How scripts outside see it: by the proxy, whose certificate they trust."""
    trusted = up.folder / "root.crt"
    up.compose("cp", "proxy:/store/pki/authorities/local/root.crt", str(trusted))
    before = {name: os.environ.get(name) for name in _TRUST}
    os.environ.update(dict.fromkeys(_TRUST, str(trusted)))
    yield Server(URL, subprocess.Popen(["true"]), up.slipway("token", "create", ADMIN))
    for name, value in before.items():
        os.environ.pop(name) if value is None else os.environ.update({name: value})


_TRUST = ("REQUESTS_CA_BUNDLE", "MLFLOW_TRACKING_SERVER_CERT_PATH")
