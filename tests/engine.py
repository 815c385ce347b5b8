"""A Docker engine of the tests' own: no network, no registry, one small image of BusyBox."""

from __future__ import annotations

import io
import os
import shutil
import signal
import subprocess
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import docker
import pytest
from docker.errors import DockerException

IMAGE = "slipway-test/busybox:1"
BUSYBOX = Path("/bin/busybox")
_APPLETS = "sh cat sleep echo ls id env mkdir touch kill dd head yes true stat wget grep".split()  # noqa: SIM905


def why_there_is_none() -> str:
    """Why no engine can be started here; empty where one can."""
    if shutil.which("dockerd") is None:
        return "dockerd is not on PATH"
    if not BUSYBOX.exists():
        return "a static BusyBox is not there (/bin/busybox)"
    return "" if os.geteuid() == 0 else "only root can start a Docker engine"


@contextmanager
def docker_engine() -> Iterator[str]:
    """The address of an engine that holds `IMAGE`. Ended, with all that it ran, when the block is left."""
    if why := why_there_is_none():
        pytest.skip(why)
    # The path of a socket has to be short.
    with TemporaryDirectory(prefix="slipway-docker-", ignore_cleanup_errors=True) as folder:
        address = f"unix://{folder}/sock"
        process = _started(Path(folder), address)
        try:
            _wait(process, Path(folder), address)
            yield address
        finally:
            _remove_containers(address)
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def client_of(address: str) -> docker.DockerClient:
    """A client for looking behind the scenes."""
    return docker.DockerClient(base_url=address, timeout=60)


def _started(folder: Path, address: str) -> subprocess.Popen[bytes]:
    places = ["--data-root", str(folder / "data"), "--exec-root", str(folder / "exec"), "-p", str(folder / "pid")]
    alone = ["--bridge=none", "--iptables=false", "--ip6tables=false"]
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            ["dockerd", *alone, *places, "-H", address], stdout=log, stderr=log, start_new_session=True
        )


def _wait(process: subprocess.Popen[bytes], folder: Path, address: str) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        try:
            engine = client_of(address)
            engine.api.import_image_from_data(_image(), repository=IMAGE.split(":")[0], tag=IMAGE.split(":")[1])
            engine.close()
            return
        except DockerException:
            time.sleep(0.1)
    raise AssertionError(f"the Docker engine did not start:\n{(folder / 'log').read_text()[-3000:]}")


def _image() -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        archive.add(BUSYBOX, "bin/busybox")
        for name in _APPLETS:
            link = tarfile.TarInfo(f"bin/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            archive.addfile(link)
        tmp = tarfile.TarInfo("tmp")
        tmp.type, tmp.mode = tarfile.DIRTYPE, 0o1777
        archive.addfile(tmp)
    return content.getvalue()


def _remove_containers(address: str) -> None:
    """They outlive an engine that ends."""
    engine = client_of(address)
    for container in engine.containers.list(all=True):
        container.remove(force=True)
    engine.close()
