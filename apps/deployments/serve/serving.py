"""From what somebody typed to a server that answers, and back to nothing when they have seen enough."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from socket import socket
from tempfile import TemporaryDirectory

from apps.core.errors import InvalidInput
from apps.deployments.environments import needs_of_model
from apps.deployments.serve.doors import door_of
from apps.deployments.serve.examples import curl_of
from apps.deployments.serve.fetching import fetch
from apps.deployments.serve.ports import open_port
from apps.deployments.serve.programs import Model, Place, Settings, command_of, variables_of
from apps.deployments.serve.references import parse_reference
from apps.deployments.serve.resolving import Found, resolve
from apps.deployments.serve.running import Serving, Stop, reached_at, stopping
from apps.deployments.serve.tracker import Tracker
from apps.runtime.environments import Cache, Needs

Say = Callable[[str], None]
_NO_CALL = "The model says nothing of its input, so no call is shown that it is known to take."


@dataclass(frozen=True, slots=True)
class Wanted:
    """What `slipway models serve` was asked for. `uses_environment` False: nothing is built."""

    uri: str
    settings: Settings = field(default_factory=Settings)
    uses_environment: bool = True
    is_open: bool = False


def serve(wanted: Wanted, env: Mapping[str, str], cache: Cache, say: Say, announce: Say) -> int:
    """Serve until somebody asks to stop. `announce` hears one line, when the model answers.

    The exit code: 0 where it was stopped, else the server's. Raises `DomainError` with a sentence for what can't begin.
    """
    settings, tracker = wanted.settings, Tracker(env)
    reference = parse_reference(wanted.uri)
    with open_port(settings.host, settings.port) as port:
        address = str(port.getsockname()[0])
        found = resolve(reference, tracker)
        say(found.said)
        door = door_of(address, is_open=wanted.is_open, files=found.files, tracker=tracker)
        if door.authorize and settings.is_mlflows:
            raise InvalidInput("MLflow's server can't check tokens: serve on 127.0.0.1, or with --open.")
        if door.said:
            say(door.said)
        settings = replace(settings, host=address, authorize=door.authorize)
        return _serve(found, settings, wanted, port, _Ours(env, cache, tracker, say, announce))


@dataclass(frozen=True, slots=True)
class _Ours:
    """What we were called with."""

    env: Mapping[str, str]
    cache: Cache
    tracker: Tracker
    say: Say
    announce: Say


def _serve(found: Found, settings: Settings, wanted: Wanted, port: socket, ours: _Ours) -> int:
    with TemporaryDirectory(prefix="slipway-model-", ignore_cleanup_errors=True) as work:
        folder = fetch(found, Path(work), ours.tracker, ours.say)
        model = Model(folder, found.name, found.version)
        needs = needs_of_model(folder) if wanted.uses_environment else None
        with _place(needs, ours) as place, stopping() as stop:
            return _run(model, settings, place, port, Path(work), stop, ours.announce)


@contextmanager
def _place(needs: Needs | None, ours: _Ours) -> Iterator[Place]:
    own = variables_of(ours.env, is_built=needs is not None)
    path = ours.env.get("PATH", os.defpath)
    if needs is None:
        yield Place(shutil.which("python", path=path) or sys.executable, own, is_built=False)
        return
    with ours.cache.held(needs, ours.say) as ready:
        ours.say(f"{'Built' if ready.was_built else 'Using'} the environment {ready.folder}")
        yield Place(str(ready.python), own | ready.variables(path), is_built=True)


def _run(model: Model, settings: Settings, place: Place, port: socket, work: Path, stop: Stop, announce: Say) -> int:
    host = reached_at(settings.host)
    url = f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"
    wants_token = settings.authorize is not None
    curl = curl_of(url, model.folder, wants_token=wants_token, is_mlflows=settings.is_mlflows)
    line = f"Ready: {url}/invocations ({model}). {f'Try: {curl}' if curl else _NO_CALL}"
    command = command_of(place, model, settings, port.fileno(), work)
    serving = Serving(command, place.variables, port, settings.grace_s)
    try:
        return serving.run(host, settings.port, stop, lambda: announce(line))
    finally:
        serving.close()
