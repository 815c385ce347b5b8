from __future__ import annotations

import sysconfig
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from apps.deployments.environments import needs_of_model
from apps.deployments.targets.process import ProcessTarget
from apps.runtime import abilities
from apps.runtime.environments import Cache, Needs, Say
from apps.runtime.process import Host
from tests.deployments.targets.process.making import Serving, make_model

_PACKAGES = Path(sysconfig.get_path("purelib"))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """In one process, since they share an environment."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.xdist_group("process target"))


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_model(tmp_path_factory.mktemp("versions") / "model")


@pytest.fixture(scope="session")
def environments(tmp_path_factory: pytest.TempPathFactory, model: Path) -> Path:
    """A cache that holds what the model needs: not installed anew, but what these tests run with themselves."""
    return environments_in(tmp_path_factory.mktemp("environments"), needs_of_model(model), Needs())


def environments_in(root: Path, *wanted: Needs) -> Path:
    """A cache in a folder that holds those."""

    def link(command: Sequence[str], folder: Path, say: Say) -> None:
        (site,) = folder.glob("lib/python*/site-packages")
        (site / "tests.pth").write_text(f"{_PACKAGES}\n")

    for needs in wanted:
        with Cache(root, install=link).held(needs, lambda _: None):
            pass
    return root


@pytest.fixture(params=["sandboxed", "process"])
def serving(request: pytest.FixtureRequest, model: Path, environments: Path) -> Iterator[Serving]:
    """Both ways to keep instances apart."""
    with _serving(request.param, model, environments) as made:
        yield made


@pytest.fixture
def sandboxed(model: Path, environments: Path) -> Iterator[Serving]:
    with _serving("sandboxed", model, environments) as made:
        yield made


@pytest.fixture
def plain(model: Path, environments: Path) -> Iterator[Serving]:
    """Without a sandbox."""
    with _serving("process", model, environments) as made:
        yield made


@pytest.fixture(scope="module")
def answering(model: Path, environments: Path) -> Iterator[Serving]:
    """A sandboxed instance that is asked questions and not changed."""
    with _serving("sandboxed", model, environments) as made:
        made.start(cpus=1.5)
        made.until_ready()
        yield made


@contextmanager
def _serving(level: str, model: Path, environments: Path) -> Iterator[Serving]:
    host = abilities.host()
    if level == "sandboxed" and host.bwrap is None:
        pytest.skip(f"no sandbox: {abilities.sandbox_here()[2]}")
    host = replace(host, bwrap=host.bwrap if level == "sandboxed" else None)
    # The path of a socket has to be short.
    with TemporaryDirectory(prefix="slipway-", ignore_cleanup_errors=True) as folder:
        made = serving_at(Path(folder), host, environments, model)
        try:
            yield made
        finally:
            made.close()


def serving_at(root: Path, host: Host, environments: Path, model: Path) -> Serving:
    """Where the sandbox sees the packages of these tests."""
    host = replace(host, readable=(*host.readable, _PACKAGES))
    return Serving(ProcessTarget(root, host, environments), model)
