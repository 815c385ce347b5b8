"""Specs and models of the tests, and an image that has what they need, so that builds fetch nothing."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import sysconfig
import tarfile
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.metadata import Distribution, distribution
from importlib.util import cache_from_source
from pathlib import Path
from typing import Any

import docker
from packaging.requirements import Requirement

from apps.deployments.configuration import Config
from apps.deployments.environments import needs_of_model
from apps.deployments.targets.base import Spec
from tests.engine import BUSYBOX

BASE = "slipway-test/python:1"
_WANTED = ("mlflow-skinny", "pandas", "numpy", "httptools", "orjson", "uvloop", "uv")
_LEFT_OUT = {"site-packages", "test", "idlelib", "ensurepip", "tkinter", "lib2to3"}
_CODE = """
import os
import sys

import mlflow.pyfunc


class Doubling(mlflow.pyfunc.PythonModel):
    def load_context(self, context):
        if os.environ.get("BROKEN"):
            raise ValueError("no weights here")
        print("loading", os.environ.get("GREETING", ""))

    def predict(self, context, model_input, params=None):
        text = model_input.iloc[0, 0]
        if text == "whoami":
            return [os.getuid(), os.access("/opt/slipway/model", os.W_OK), os.path.exists("/proc/net/dev") and
                    open("/proc/net/dev").read().count(":")]
        if text == "eat":
            kept = bytearray(512 * 1024 * 1024)
            return [len(kept)]
        if text == "die":
            os._exit(9)
        return [value * 2 for value in model_input.iloc[:, 0]]


mlflow.models.set_model(Doubling())
"""
_MLMODEL = """
flavors:
  python_function:
    loader_module: mlflow.pyfunc.model
    model_code_path: model.py
    python_version: {python}
    streamable: false
mlflow_version: 3.0.0
model_uuid: 0123456789abcdef0123456789abcdef
"""


def make_model(folder: Path) -> Path:
    """A model written as code, whose columns come back doubled; nothing is trained or pickled for it."""
    folder.mkdir(parents=True)
    (folder / "model.py").write_text(_CODE)
    (folder / "MLmodel").write_text(_MLMODEL.format(python=sys.version.split()[0]).lstrip())
    (folder / "requirements.txt").write_text("mlflow-skinny\npandas\nnumpy\n")
    return folder


def make_spec(model: Path, instance: int = 1, *, key: str = "", bind: str | None = None, **config: Any) -> Spec:
    """One instance of it."""
    given = Config.from_json(config)
    return Spec(instance, "iris", 1, "iris", 1, "a" * 64, model, needs_of_model(model), given, key, bind)


def import_base(engine: docker.DockerClient) -> None:
    """The image that tests' images start from: the Python that runs this, with what the model needs."""
    name, tag = BASE.split(":")
    engine.api.import_image_from_data(
        base_image(), repository=name, tag=tag, changes=["ENV PATH=/usr/bin UV_OFFLINE=1"]
    )


@cache
def base_image() -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        for path, place in sorted({**_system(), **dict(_packages())}.items()):
            archive.add(place.resolve(), path, recursive=False)
        for name in ("bin/sh", *(f"usr/bin/{each}" for each in ("rm", "sh", "cat"))):
            _link(archive, name, "/bin/busybox")
        for name in ("python", "python3"):
            _link(archive, f"usr/bin/{name}", str(Path(sys.executable).resolve()))
        folder = tarfile.TarInfo("tmp")
        folder.type, folder.mode = tarfile.DIRTYPE, 0o1777
        archive.addfile(folder)
    return content.getvalue()


def _link(archive: tarfile.TarFile, name: str, target: str) -> None:
    link = tarfile.TarInfo(name)
    link.type, link.linkname = tarfile.SYMTYPE, target
    archive.addfile(link)


def _system() -> dict[str, Path]:
    """The interpreter with its library, and what they are linked with."""
    python = Path(sys.executable).resolve()
    library = Path(sysconfig.get_path("stdlib"))
    found = {str(file): file for file in _files_of(library)}
    linked = [python, *(each for each in library.glob("lib-dynload/*.so") if "_tk" not in each.name)]
    linked += [place for name, place in _packages() if place.name == "uv" or ".so" in place.suffixes]
    found |= {str(place): Path(place) for place in _libraries(linked)}
    found |= {str(python): python, "/bin/busybox": BUSYBOX}
    return {path.lstrip("/"): place for path, place in found.items()}


def _files_of(library: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(library):
        folders[:] = [name for name in folders if name not in _LEFT_OUT and not name.startswith("config-")]
        yield from (Path(folder, name) for name in names)


def _libraries(files: Iterable[Path]) -> set[str]:
    done = subprocess.run(["ldd", *map(str, files)], capture_output=True, text=True, check=False)
    words = (word for line in done.stdout.splitlines() for word in line.split() if word.startswith("/"))
    # Those that packages bring lie where they look for them.
    return {word for word in words if "site-packages" not in word and Path(word).exists()}


def _packages() -> Iterator[tuple[str, Path]]:
    site = Path(sysconfig.get_path("stdlib")) / "site-packages"
    for name in _closure(_WANTED):
        for file in distribution(name).files or ():
            place = Path(str(file.locate()))
            if not place.is_file() or {"__pycache__", "tests"} & set(place.parts):
                continue
            inside = f"/usr/bin/{place.name}" if ".." in file.parts else str(site / str(file))
            yield inside.lstrip("/"), place
            # Where it has been imported before, what it was compiled to.
            compiled = Path(cache_from_source(str(place))) if place.suffix == ".py" else place
            if compiled != place and compiled.is_file():
                yield cache_from_source(inside).lstrip("/"), compiled


def _closure(names: Iterable[str]) -> set[str]:
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop().lower().replace("_", "-")
        if name in found:
            continue
        found.add(name)
        waiting += [each.name for each in _required(distribution(name))]
    return found


def _required(package: Distribution) -> list[Requirement]:
    wanted = [Requirement(line) for line in package.requires or ()]
    return [each for each in wanted if each.marker is None or each.marker.evaluate({"extra": ""})]


def body(*values: Any) -> bytes:
    """Of a request."""
    return json.dumps({"dataframe_split": {"columns": ["x"], "data": [[value] for value in values]}}).encode()
