"""Images of versions: built once for each content, and cleaned where they take too much."""

from __future__ import annotations

import fcntl
import os
import queue
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import docker
from docker.errors import APIError, DockerException, ImageNotFound
from docker.models.images import Image as Built
from requests.exceptions import RequestException

from apps.core.errors import InvalidInput, Unavailable
from apps.deployments.targets.base import Say
from apps.deployments.targets.docker.engine import CONTENT, SITE
from apps.deployments.targets.image import Image, pack_into
from apps.runtime.docker.engine import image_of

# What an operator may set for the supervisor, and builds are given: where packages come from, and proxies.
ARGUMENTS = ("UV_DEFAULT_INDEX", "UV_INDEX", "UV_INSECURE_HOST", "PIP_INDEX_URL")
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_NOT_SAID = ("--->", "Removing intermediate container")
_LOOK_SECONDS = 0.2
_LONGEST_SECONDS = 3600.0
_LAST_LINES = 20
Asked = Callable[[], bool]


def found(engine: docker.DockerClient, name: str) -> Built | None:
    """The image of that name."""
    try:
        return engine.images.get(name)
    except ImageNotFound:
        return None


def build(
    engine: docker.DockerClient,
    image: Image,
    model: Path,
    name: str,
    how: Mapping[str, Any],
    say: Say,
    is_cancelled: Asked,
) -> None:
    """Make an image. `how` is the engine's: network, labels. Raises `InvalidInput` with the last lines of the build."""

    def heard(line: str) -> None:
        if is_cancelled():
            raise Unavailable("Building the image was cancelled.")
        if line:
            say(line)

    image_of(engine, image.base, heard)
    for sentence in image.needs.left_out:
        say(sentence)
    with TemporaryFile() as context:
        say("Packing the version and its scoring server.")
        pack_into(context, image, model)
        options = {"buildargs": _arguments(), "tag": name, "rm": True, "forcerm": True, "pull": False, **how}
        said: list[str] = []
        for line in _steps(engine, context, options, is_cancelled):
            if "error" in line:
                raise InvalidInput("The image can't be built: " + "\n".join([*said[-_LAST_LINES:], str(line["error"])]))
            text = _COLOUR.sub("", str(line.get("stream", ""))).strip()
            if text and not text.startswith(_NOT_SAID):
                said.append(text)
                say(text)


def push(engine: docker.DockerClient, repository: str, tag: str, say: Say, is_cancelled: Asked) -> None:
    """Send an image to its registry, with the password that the engine's client has for it. Raises `InvalidInput`."""
    say(f"Pushing the image to {repository}.")
    for line in engine.api.push(repository, tag, stream=True, decode=True):
        if "error" in line:
            raise InvalidInput(f"The image can't be pushed to {repository}: {str(line['error'])[:500]}")
        if is_cancelled():
            raise Unavailable("Pushing the image was cancelled.")


def clean(engine: docker.DockerClient, sites: Iterable[str], at_most_bytes: int, keep: str) -> int:
    """Remove the oldest images of ours that nothing runs of, until the rest takes no more; how many went."""
    ours = [built for site in sites for built in engine.images.list(filters={"label": f"{SITE}={site}"})]
    used = {str(each.attrs.get("ImageID")) for each in engine.containers.list(all=True, sparse=True)}
    ours.sort(key=lambda built: str(built.attrs.get("Created", "")), reverse=True)
    total = removed = 0
    for built in ours:
        total += int(built.attrs.get("Size") or 0)
        if total > at_most_bytes and built.id not in used and built.labels.get(CONTENT) != keep:
            with suppress(APIError):
                engine.images.remove(built.id, force=True)
                removed += 1
    return removed


@contextmanager
def building(root: Path, key: str, is_cancelled: Asked) -> Iterator[None]:
    """One at a time for each content; who waits looks again afterwards. Raises `Unavailable` once it is cancelled."""
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (root / f"{key}.lock").open("w") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if is_cancelled():
                    raise Unavailable("Building the image was cancelled.") from None
                time.sleep(_LOOK_SECONDS)
        yield


def _arguments() -> dict[str, str]:
    return {name: os.environ[name] for name in (*ARGUMENTS, *_PROXIES) if os.environ.get(name)}


def _steps(
    engine: docker.DockerClient, context: Any, options: Mapping[str, Any], is_cancelled: Asked
) -> Iterator[Mapping[str, Any]]:
    """What the engine says of a build. It may say nothing for minutes, so it is heard in a thread."""
    heard: queue.Queue[Mapping[str, Any] | None] = queue.Queue()
    is_over = threading.Event()

    def listen() -> None:
        try:
            # The read's own time-out: it is the end of a build of which nobody heard.
            stream = engine.api.build(
                fileobj=context, custom_context=True, decode=True, timeout=_LONGEST_SECONDS, **options
            )
            for line in stream:
                if is_over.is_set():
                    # Who hears no more cancels it.
                    stream.close()
                    return
                heard.put(line)
        except (DockerException, RequestException, OSError, ValueError) as error:
            # The last: it was cancelled, and what is sent was closed.
            heard.put({"error": str(error)})
        finally:
            heard.put(None)

    threading.Thread(target=listen, name="slipway building an image", daemon=True).start()
    try:
        while True:
            try:
                line = heard.get(timeout=_LOOK_SECONDS)
            except queue.Empty:
                line = {}
            if line is None:
                return
            yield line
            if is_cancelled():
                raise Unavailable("Building the image was cancelled.")
    finally:
        is_over.set()
