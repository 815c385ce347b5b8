"""From a spec to the command that its keeper starts: which server, what it is told, and what it may see."""

from __future__ import annotations

import json
import math
import shlex
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from django.conf import settings

import apps.deployments
from apps.deployments.configuration import ScoringServer
from apps.deployments.targets.base import Spec
from apps.deployments.targets.process.places import Place
from apps.runtime.base import Work
from apps.runtime.environments import Ready
from apps.runtime.limits import Limits
from apps.runtime.process import Host, Processes
from apps.runtime.process.child import Wanted
from apps.runtime.process.keeping import LISTENING
from apps.runtime.process.sandbox import interpreter_of

# How long what is in flight may take when an instance is asked to end, unless who asks says less.
GRACE_SECONDS = 30
# As sentences call it.
WHO = "an instance"
# By what an instance's processes are found even if both of its keeper's were killed.
MARK = "SLIPWAY_INSTANCE"
_SCORING = Path(apps.deployments.__path__[0]) / "scoring"
_MLFLOW = Path(__file__).with_name("mlflow_server.py")
_INSIDE = PurePosixPath("/run/slipway")
_PATH = "/usr/local/bin:/usr/bin:/bin"
_MIB = 1024 * 1024
# What reckons in threads takes as many as the machine has, whatever share of it an instance may use.
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


@dataclass(frozen=True, slots=True)
class Command:
    """What is kept; `unenforced` in sentences."""

    wanted: Wanted
    isolation: str
    unenforced: tuple[str, ...]


def limits_of(spec: Spec) -> Limits:
    """What an instance is held to."""
    return Limits(
        cpus=spec.config.cpus,
        memory_mb=spec.config.memory_mb,
        processes=settings.PROJECT_PROCESSES,
        disk_mb=settings.PROJECT_DISK_MB,
        network=spec.config.network,
    )


def command_of(spec: Spec, place: Place, ready: Ready, host: Host, mark: str, stack: ExitStack) -> Command:
    """The command of an instance, which has `mark` among its variables.

    What it needs as long as it runs is given to the stack.
    """
    program = _MLFLOW if spec.config.server == ScoringServer.MLFLOW else _SCORING
    here = {"model": spec.model, program.name: program, "config.json": place.config}
    is_apart = host.bwrap is not None
    seen = {name: _INSIDE / name if is_apart else PurePosixPath(path) for name, path in here.items()}
    place.config.touch(mode=0o600)
    place.config.write_text(json.dumps(config_of(spec, str(seen["model"]))))
    apart = replace(host, placed={**host.placed, **{seen[name]: path for name, path in here.items()}})
    readable = (ready.folder, *interpreter_of(ready.folder))
    processes = Processes(apart if is_apart else host, place.room, readable)
    limits = limits_of(spec)
    group = processes.group(limits)
    stack.callback(group.close)
    variables = _variables(spec, ready) | {MARK: mark}
    work = Work(shlex.join(["exec", *_argv(spec, ready, seen)]), processes.work, variables, limits)
    return Command(processes.wanted(work, group, stack), str(processes.level), processes.unenforced(limits, WHO))


def config_of(spec: Spec, model: str) -> dict[str, Any]:
    """What the scoring server is told, as it documents it."""
    config = spec.config
    return {
        "model": model,
        "name": spec.model_name,
        "version": str(spec.version),
        "listen": {"fd": LISTENING},
        "workers": config.workers,
        "timeout_s": config.timeout_s,
        "concurrency": config.concurrency,
        "max_body_bytes": config.max_body_mb * _MIB,
        "batching": {"enabled": None if config.batching else False},
        "grace_s": GRACE_SECONDS,
        "secret": spec.key or None,
    }


def _argv(spec: Spec, ready: Ready, seen: Mapping[str, PurePosixPath]) -> list[str]:
    is_mlflows = spec.config.server == ScoringServer.MLFLOW
    program = seen[_MLFLOW.name] if is_mlflows else seen[_SCORING.name] / "launch.py"
    return [str(ready.python), "-I", "-u", str(program), str(seen["config.json"])]


def _variables(spec: Spec, ready: Ready) -> dict[str, str]:
    threads = str(max(1, math.ceil(spec.config.cpus / spec.config.workers))) if spec.config.cpus else ""
    return {
        **ready.variables(_PATH),
        **(dict.fromkeys(_THREADS, threads) if threads else {}),
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "true",
        **spec.config.env_vars,
    }
