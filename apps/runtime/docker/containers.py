"""One run in one container.

The project's files are copied into it. A folder of the host that is mounted instead would be written to by the
container's root, would have to lie where the engine sees it, and would be shared with what comes after.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import Any
from urllib.parse import urlsplit

import docker
from docker.errors import APIError, DockerException, NotFound
from docker.models.containers import Container
from docker.models.images import Image
from docker.types import DeviceRequest, LogConfig, Ulimit
from requests.exceptions import RequestException

from apps.core.errors import InvalidInput, Unavailable
from apps.runtime.base import Work
from apps.runtime.docker.arguments import Arguments, arguments_of
from apps.runtime.docker.engine import Say, answering, can_limit, connect, image_of, lacking
from apps.runtime.docker.packing import pack_into
from apps.runtime.docker.reaping import FENCE, RECEIPT, RUN, SITE
from apps.runtime.docker.rules import Rules
from apps.runtime.docker.volumes import CODE, mounts_of
from apps.runtime.environments.kinds import DockerEnvironment
from apps.runtime.limits import Limits

logger = logging.getLogger(__name__)

_MIB = 1024 * 1024
_HOST = "host.docker.internal"
# Both streams in one, in order; asked to end, the command is given its time, and nothing comes after it.
_SCRIPT = "exec 2>&1\ntrap 'exit 143' TERM\n"
_DISK = "disk: the Docker engine's storage driver can't limit it."


@dataclass(frozen=True, slots=True)
class Docker:
    """Containers of one image, started with a caller's arguments under an operator's rules.

    `say` hears what is done before the command begins; `check` is asked meanwhile, and raises where it is not to be.
    """

    environment: DockerEnvironment
    arguments: Mapping[str, str]
    rules: Rules
    say: Say
    check: Callable[[], None] = lambda: None

    def require(self) -> None:
        """Raise what `start` would, as far as it is known before anything is begun."""
        arguments_of(self.arguments, self.rules)
        mounts_of(self.environment.volumes, self.rules)
        connect().close()

    def start(self, work: Work) -> Running:
        """Start a container. Raises `InvalidInput` for what may not be or the engine refuses, `Unavailable`."""
        arguments = arguments_of(self.arguments, self.rules)
        mounts = mounts_of(self.environment.volumes, self.rules)
        engine = connect()
        try:
            with answering():
                info = engine.info()
                image = image_of(engine, self.environment.image, self._heard)
                options = _options(work, arguments, self.rules, info) | {"mounts": mounts}
                return self._started(engine, work, image, options, _unenforced(work.limits, info))
        except BaseException:
            engine.close()
            raise

    def _heard(self, line: str) -> None:
        self.check()
        if line:
            self.say(line)

    def _started(
        self, engine: docker.DockerClient, work: Work, image: Image, options: dict[str, Any], lacks: list[str]
    ) -> Running:
        container, has_disk = _created(engine, image, work, options)
        try:
            with TemporaryFile() as file:
                parent, _, name = CODE.rpartition("/")
                pack_into(work.folder, name, file)
                container.put_archive(parent, file)
            # Before it starts, so that no byte is missed.
            stream = container.attach(stream=True, stdout=True, stderr=True)
            container.start()
        except BaseException:
            _remove(container)
            raise
        unenforced = (*lacks, *([] if has_disk else [_DISK]))
        return Running(engine, container, stream, unenforced, _tags(self.environment.image, image))


class Running:
    """A container that was started. It is an `Execution`."""

    isolation = "docker"

    def __init__(
        self,
        engine: docker.DockerClient,
        container: Container,
        stream: Iterator[bytes],
        unenforced: tuple[str, ...],
        tags: Mapping[str, str],
    ) -> None:
        self._engine, self._container, self._stream = engine, container, stream
        self.unenforced, self.tags = unenforced, tags

    @property
    def id(self) -> str:
        """The container's id, whole."""
        return str(self._container.id)

    def output(self) -> Iterator[bytes]:
        """What it writes, until it has ended; the engine waits for who reads slowly."""
        return self._stream

    def wait(self, seconds: float | None = None) -> int | None:
        """Its exit code, 128 and the signal's number for one that a signal ended. Raises `Unavailable`."""
        try:
            return int(self._container.wait(timeout=seconds)["StatusCode"])
        except APIError as error:
            raise Unavailable("The container was removed by somebody else.") from error
        except (RequestException, DockerException, OSError) as error:
            state = self._state() if seconds is not None else {}
            if state.get("Running"):
                return None
            if state.get("Status") == "exited":
                return int(state["ExitCode"])
            raise Unavailable("The Docker engine went away while the container ran.") from error

    def note(self) -> str:
        """That it came to the limit of its memory, where it did."""
        state = self._state()
        return "It took more memory than it may." if state.get("OOMKilled") else ""

    def kill(self, grace_seconds: float) -> None:
        """TERM, the grace, KILL. All that it started is in the container and ends with it."""
        self._signal("SIGTERM")
        if grace_seconds > 0 and self._ended_within(grace_seconds):
            return
        self._signal("SIGKILL")
        if not self._ended_within(grace_seconds + 10):
            logger.error("the container %s does not end", self.id)

    def close(self) -> None:
        """Remove the container with the volumes that it made."""
        _remove(self._container)
        self._engine.close()

    def _signal(self, name: str) -> None:
        # One that has ended can't be signalled.
        with suppress(DockerException, RequestException):
            self._container.kill(name)

    def _ended_within(self, seconds: float) -> bool:
        try:
            return self.wait(seconds) is not None
        except Unavailable:
            return True

    def _state(self) -> Mapping[str, Any]:
        try:
            self._container.reload()
        except (DockerException, RequestException):
            return {}
        state: Mapping[str, Any] = self._container.attrs.get("State", {})
        return state


def _created(engine: docker.DockerClient, image: Image, work: Work, options: dict[str, Any]) -> tuple[Container, bool]:
    """The container, and whether the disk is limited as it was asked."""
    command = ["sh", "-c", _SCRIPT + work.command]
    if work.limits.disk_mb is not None:
        with suppress(APIError):
            size = {"size": f"{work.limits.disk_mb}m"}
            return engine.containers.create(image.id, command, **options, storage_opt=size), True
    return engine.containers.create(image.id, command, **options), work.limits.disk_mb is None


def _options(work: Work, arguments: Arguments, rules: Rules, info: Mapping[str, Any]) -> dict[str, Any]:
    """How the container is made: without privileges, within its limits, with labels to find it by."""
    limits, network = work.limits, arguments.network or rules.network
    network = network if work.limits.network else "none"
    memory = _least(limits.memory_mb and limits.memory_mb * _MIB, arguments.memory)
    cpus = _least(limits.cpus, arguments.cpus, info.get("NCPU"))
    options = {
        "working_dir": CODE,
        "environment": _variables(work.variables, network),
        "network_mode": network,
        "extra_hosts": {_HOST: "host-gateway"} if _needs_host(work.variables, network) else None,
        "init": True,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges"],
        # Its output is ours to keep.
        "log_config": LogConfig(type="none"),
        "mem_limit": memory,
        "memswap_limit": memory if can_limit(info, "swap") else None,
        "nano_cpus": int(cpus * 1e9) if cpus is not None else None,
        "pids_limit": _least(limits.processes, arguments.processes),
        "ulimits": _ulimits(limits),
        "shm_size": arguments.shm_size,
        "user": arguments.user or None,
        "device_requests": _devices(work.gpus, arguments.gpus, rules),
        "labels": _labels(work, rules),
    }
    return {name: value for name, value in options.items() if value is not None}


def _labels(work: Work, rules: Rules) -> dict[str, str]:
    """What a container is found by when its worker has died; of one's own machine there is none to look."""
    if not rules.sites:
        return {}
    receipt = {RECEIPT: str(work.receipt)} if work.receipt else {}
    return {SITE: rules.sites[0], RUN: str(work.run_id), FENCE: str(work.fence), **receipt}


def _least(*amounts: float | None) -> Any:
    return min((amount for amount in amounts if amount is not None), default=None)


def _ulimits(limits: Limits) -> list[Ulimit]:
    wanted = [Ulimit(name="core", soft=0, hard=0)]
    if limits.file_mb is not None:
        wanted.append(Ulimit(name="fsize", soft=limits.file_mb * _MIB, hard=limits.file_mb * _MIB))
    return wanted


def _devices(given: tuple[str, ...], asked: str, rules: Rules) -> list[DeviceRequest] | None:
    """Those that the worker keeps for the run; on a machine of one's own, what one asked for."""
    if given:
        return [DeviceRequest(device_ids=list(given), capabilities=[["gpu"]])]
    if not asked:
        return None
    if rules.volumes is not None:
        raise InvalidInput("This run was given no GPU: say how many it wants with gpus, as for every run.")
    if asked.startswith("device="):
        return [DeviceRequest(device_ids=asked.removeprefix("device=").split(","), capabilities=[["gpu"]])]
    return [DeviceRequest(count=-1 if asked == "all" else int(asked), capabilities=[["gpu"]])]


def _variables(given: Mapping[str, str], network: str) -> dict[str, str]:
    """The run's, with the server's address as it is seen from in there. The other is read by the init process."""
    seen = _seen_from_inside(given.get("MLFLOW_TRACKING_URI", ""), network)
    return {**given, **({"MLFLOW_TRACKING_URI": seen} if seen else {}), "TINI_KILL_PROCESS_GROUP": "1"}


def _seen_from_inside(uri: str, network: str) -> str:
    host = urlsplit(uri).hostname or ""
    if network == "host" or not _is_loopback(host):
        return uri
    return uri.replace(f"[{host}]" if ":" in host else host, _HOST, 1)


def _needs_host(given: Mapping[str, str], network: str) -> bool:
    host = urlsplit(given.get("MLFLOW_TRACKING_URI", "")).hostname or ""
    return network not in ("none", "host") and _is_loopback(host)


def _is_loopback(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.")


def _unenforced(limits: Limits, info: Mapping[str, Any]) -> list[str]:
    wanted = {"memory": limits.memory_mb, "swap": limits.memory_mb, "cpus": limits.cpus, "processes": limits.processes}
    return [lacking(name) for name, amount in wanted.items() if amount is not None and not can_limit(info, name)]


def _tags(uri: str, image: Image) -> dict[str, str]:
    return {
        "mlflow.project.env": "docker",
        "mlflow.docker.image.uri": uri,
        "mlflow.docker.image.id": str(image.id),
    }


def _remove(container: Container) -> None:
    try:
        container.remove(force=True, v=True)
    except NotFound:
        pass
    except (DockerException, RequestException) as error:
        # The next worker on this host that looks finds it by its labels.
        logger.warning("the container %s can't be removed: %s", container.id, error)
