"""The target: builds images, starts containers, and finds them again by their labels, whoever started them."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import docker
from django.conf import settings
from docker.errors import APIError, NotFound
from docker.models.containers import Container

from apps.core.errors import DomainError
from apps.deployments.targets.base import LogPiece, NotPrepared, Observation, Say, Spec, Started
from apps.deployments.targets.docker import containers, images
from apps.deployments.targets.docker.containers import Way
from apps.deployments.targets.docker.engine import CONTENT, INSTANCE, SITE, engine_here, is_remapped, why_not
from apps.deployments.targets.docker.logs import CopiedLog
from apps.deployments.targets.image import Image, base_of, digest_of
from apps.deployments.targets.process.health import healthy
from apps.deployments.targets.process.words import words_of
from apps.runtime.docker.rules import rules_of_site
from apps.runtime.process.keeping import Ended

_ALIVE = frozenset({"running", "created", "restarting", "paused", "removing"})
_TAIL = 16 * 1024
_YOUNG_SECONDS = 60
_MEMORY_SECONDS = 10.0
# A socket's path has to fit in 108 bytes.
_LONGEST_FOLDER = 90
# What an engine says of a folder that it doesn't see: it runs on other files than we do.
_UNSEEN = "bind source path does not exist"


@dataclass(slots=True)
class DockerTarget:
    """Containers of this host's engine. `root`: where logs and sockets are. `sites`: names of the installation.

    `network` is the engine's that containers are in which may reach others; `base` the image that models' start from,
    with `{python}` for a version; `repository` the name of the images that are built.
    """

    root: Path
    sites: tuple[str, ...]
    network: str
    base: str
    repository: str
    image_bytes: int
    processes: int = 4096
    _measured: dict[int, float] = field(default_factory=dict)

    def lacks(self) -> tuple[str, ...]:
        """Why nothing can be started here, in sentences; empty where it can."""
        return why_not()

    def prepare(self, spec: Spec, say: Say, is_cancelled: Callable[[], bool]) -> None:
        """Build the image where it isn't there."""
        image = self.image_of(spec)
        name = self.name_of(image)
        with images.building(self.root, image.key, is_cancelled), engine_here() as engine:
            if images.found(engine, name) is not None:
                say("The image was there already.")
                return
            labels = {SITE: self.sites[0], CONTENT: image.key}
            how = {"labels": labels, "network_mode": None if self.network == "bridge" else self.network}
            images.build(engine, image, spec.model, name, how, say, is_cancelled)
            say("The image was built.")
            images.clean(engine, self.sites, self.image_bytes, image.key)

    def start(self, spec: Spec) -> Started:
        """Start a container, or find the one of that number."""
        with engine_here() as engine:
            info = engine.info()
            container = _named(engine, containers.name_of(self.sites[0], spec.instance))
            way = self._way_of(container) if container is not None else None
            if container is None or way is None:
                container, way = self._created(engine, spec, info)
            if container.status == "created":
                container.start()
                container.reload()
            return self._started(spec, container, way, info)

    def observe(self, handles: Mapping[int, Mapping[str, Any]]) -> Mapping[int, Observation]:
        """Of each, what is there: one question to the engine for all, one more for each that ended."""
        with engine_here(20) as engine:
            there = {str(each.id): each for each in self._ours(engine)}
            alive = {
                number: str(handle["address"])
                for number, handle in handles.items()
                if (each := there.get(str(handle["container"]))) and each.status in _ALIVE
            }
            ready = healthy({number: address for number, address in alive.items() if containers.is_own(address)})
            return {
                number: Observation(
                    True,
                    number in ready,
                    alive[number],
                    memory_bytes=self._memory(number, there[str(handle["container"])]),
                )
                if number in alive
                else self._ended(engine, handle)
                for number, handle in handles.items()
            }

    def end(self, handle: Mapping[str, Any], grace_s: float) -> None:
        """SIGTERM, and SIGKILL after the grace. All that it started is in the container, and ends with it."""
        threading.Thread(target=_stop, args=(str(handle["container"]), grace_s), name="slipway ending").start()

    def log(self, handle: Mapping[str, Any], start: int, at_most: int) -> LogPiece:
        """What it wrote from a place on."""
        return self._caught_up(handle).read(start, at_most)

    def forget(self, handle: Mapping[str, Any]) -> None:
        """Remove the container of one that has ended, its volumes, log and socket."""
        with engine_here() as engine:
            container = _named(engine, str(handle["container"]))
            if container is not None:
                if container.status == "running":
                    return
                with suppress(NotFound):
                    container.remove(force=True, v=True)
        shutil.rmtree(self._folder(handle), ignore_errors=True)
        shutil.rmtree(self._sockets(int(handle["instance"])), ignore_errors=True)
        self._measured.pop(int(handle["instance"]), None)

    def strays(self, known: Iterable[int]) -> list[Mapping[str, Any]]:
        """Containers of ours that nobody knows. `known` is gone through after the engine was asked."""
        with engine_here(20) as engine:
            found = {_number(each): each for each in self._ours(engine) if _age_of(each) > _YOUNG_SECONDS}
        strangers = set(found) - set(known)
        return [{"instance": number, "container": str(found[number].id)} for number in sorted(strangers)]

    def image_of(self, spec: Spec) -> Image:
        """What an image for it holds."""
        sha256 = spec.sha256 or digest_of(spec.model)
        return Image(base_of(self.base, spec.needs), spec.needs, sha256)

    def name_of(self, image: Image) -> str:
        """What it is called here."""
        return f"{self.repository}:{image.key}"

    def _created(self, engine: docker.DockerClient, spec: Spec, info: Mapping[str, Any]) -> tuple[Container, Way]:
        """By a socket where that can be, for then it needs no network. Raises `NotPrepared`."""
        network = self.network if spec.config.network else "none"
        if spec.bind is None and not is_remapped(info):
            way = containers.by_socket(self._sockets(spec.instance), network)
            try:
                return self._made(engine, spec, way, info), way
            except APIError as error:
                if _UNSEEN not in str(error.explanation or error):
                    raise
        way = containers.by_port(spec, self.network)
        return self._made(engine, spec, way, info), way

    def _made(self, engine: docker.DockerClient, spec: Spec, way: Way, info: Mapping[str, Any]) -> Container:
        options = containers.options(spec, way, self.sites[0], info, self.processes)
        name = self.name_of(self.image_of(spec))
        built = images.found(engine, name)
        if built is None:
            raise NotPrepared("The image is not on this host.")
        options["labels"] |= {_FOLDER: str(way.folder or ""), _HOST: way.host, _PORT: str(way.port)}
        try:
            return engine.containers.create(built.id, **options)
        except APIError as error:
            # Somebody else made it at the same time.
            container = _named(engine, options["name"]) if error.status_code == 409 else None
            if container is None:
                raise
            return container

    def _way_of(self, container: Container) -> Way | None:
        labels = container.labels
        folder = labels.get(_FOLDER, "")
        return Way(Path(folder) if folder else None, labels.get(_HOST, ""), "", int(labels.get(_PORT) or 0))

    def _started(self, spec: Spec, container: Container, way: Way, info: Mapping[str, Any]) -> Started:
        ports = container.attrs.get("NetworkSettings", {}).get("Ports") or {}
        address = containers.address_of(str(way.folder or ""), ports, way.host, way.port)
        handle = {"instance": spec.instance, "container": str(container.id), "address": address}
        if spec.config.memory_mb is not None:
            handle["memory_mb"] = spec.config.memory_mb
        return Started(handle, address, "container", containers.unenforced(spec, way, info))

    def _ended(self, engine: docker.DockerClient, handle: Mapping[str, Any]) -> Observation:
        container = _named(engine, str(handle["container"]))
        if container is None:
            return Observation(False, message="Its container was removed by somebody else.")
        state: Mapping[str, Any] = container.attrs.get("State", {})
        if state.get("Status") in _ALIVE:
            return Observation(True, address=str(handle.get("address", "")))
        lines = self._caught_up(handle).read(-_TAIL, _TAIL).text.splitlines()
        code = int(state.get("ExitCode") or 0)
        # As a shell says it: 128 and the signal's number.
        ended = Ended(128 - code if 128 < code < 160 else code, is_out_of_memory=bool(state.get("OOMKilled")))
        message = str(state.get("Error") or "") or (
            "" if ended.code == 0 else words_of(ended, handle.get("memory_mb"), lines)
        )
        return Observation(False, exit_code=ended.code, message=message)

    def _memory(self, number: int, container: Container) -> int | None:
        """What it takes; asked now and then, since the engine has to look."""
        now = time.monotonic()
        if container.status != "running" or now - self._measured.get(number, -_MEMORY_SECONDS) < _MEMORY_SECONDS:
            return None
        self._measured[number] = now
        with suppress(APIError):
            found = container.client.api.stats(container.id, stream=False, one_shot=True).get("memory_stats", {})
            cached = found.get("stats", {}).get("total_inactive_file", found.get("stats", {}).get("inactive_file", 0))
            return int(found["usage"]) - int(cached) if "usage" in found else None
        return None

    def _caught_up(self, handle: Mapping[str, Any]) -> CopiedLog:
        """Its log here, with what the engine has had since; of one that was removed, what was copied before."""

        def source(since: str) -> bytes:
            begin = int(datetime.fromisoformat(f"{since[:19]}+00:00").timestamp()) if since else None
            try:
                with engine_here(20) as engine:
                    given: bytes = engine.api.logs(str(handle["container"]), timestamps=True, since=begin)
            except DomainError:
                return b""
            return given

        log = CopiedLog(self._folder(handle))
        log.catch_up(source)
        return log

    def _ours(self, engine: docker.DockerClient) -> list[Container]:
        found = [
            engine.containers.list(all=True, sparse=True, filters={"label": f"{SITE}={site}"}) for site in self.sites
        ]
        return [each for some in found for each in some]

    def _folder(self, handle: Mapping[str, Any]) -> Path:
        return self.root / str(int(handle["instance"]))

    def _sockets(self, instance: int) -> Path:
        """The folder that it shares with us: its own, or another where the way there is too long for a socket."""
        folder = self.root / str(instance) / "run"
        if len(os.fsencode(folder)) <= _LONGEST_FOLDER:
            return folder
        runtime = os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()
        digest = hashlib.blake2b(os.fsencode(self.root.resolve()), digest_size=8).hexdigest()
        return Path(runtime) / f"slipway-docker-{os.getuid()}-{digest}-{instance}"


_FOLDER, _HOST, _PORT = "slipway.serving.folder", "slipway.serving.host", "slipway.serving.port"


def docker_target(root: Path) -> DockerTarget:
    """That of this host, as its settings say. `root`: the supervisor's folder of instances."""
    return DockerTarget(
        root=root / "docker",
        sites=rules_of_site().sites,
        network=settings.DOCKER_NETWORKS[0],
        base=settings.SERVING_IMAGE,
        repository=settings.SERVING_REPOSITORY,
        image_bytes=settings.ENVIRONMENTS_BYTES,
        processes=settings.PROJECT_PROCESSES,
    )


def _stop(container: str, grace_s: float) -> None:
    # The supervisor asks again for one that goes on.
    with suppress(DomainError), engine_here(grace_s + 30) as engine:
        found = _named(engine, container)
        if found is not None and found.status in _ALIVE:
            found.stop(timeout=int(grace_s))


def _named(engine: docker.DockerClient, name: str) -> Container | None:
    try:
        return engine.containers.get(name)
    except NotFound:
        return None


def _number(container: Container) -> int:
    labels = container.attrs.get("Labels") or {}
    return int(labels.get(INSTANCE) or 0)


def _age_of(container: Container) -> float:
    return time.time() - float(container.attrs.get("Created") or 0)
