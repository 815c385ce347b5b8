"""`slipway run --backend slipway`: on the server's workers, with the log here and the run's exit code as ours."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from apps.projects.running.server import Server

Say = Callable[[str], None]
_LEFT = 130


def main(options: argparse.Namespace, say: Say) -> int:
    """Queue it, follow it, and leave with its exit code; 130 where it was left running. Raises `DomainError`."""
    from apps.projects.running.queued import Queued, send
    from apps.projects.running.server import server_of_environment

    server = server_of_environment(os.environ, say)
    config = _config(options.backend_config) if options.backend_config else {}
    wanted = Queued(
        uri=options.uri,
        entry_point=options.entry_point,
        params=dict(options.param),
        version=options.version,
        experiment=options.experiment_name,
        experiment_id=options.experiment_id,
        run_name=options.run_name,
        project=options.project or str(config.get("project", "")),
        more=_more(options, config),
    )
    run = send(wanted, server, os.environ, say)
    say(f"Run {run['id']} waits in the queue {run['queue']}: {server.uri}/project-runs/{run['id']}/")
    if options.detach:
        print(run["id"])  # noqa: T201
        return 0
    return follow(server, run["id"], say)


def follow(server: Server, run_id: str, say: Say, *, stamped: bool = False) -> int:
    """Write the log to standard output until the run has ended; its exit code. Ctrl-C asks whether to cancel."""
    from apps.projects.running.following import (
        Follower,
        asks_to_cancel,
        exit_code_of,
        follow_to_end,
        left_words,
        told,
    )

    follower = Follower(server, run_id, sys.stdout.buffer, say, stamped=stamped)
    ended = follow_to_end(follower, lambda: asks_to_cancel(run_id), lambda: _cancel(server, run_id))
    if ended is None:
        say(left_words(run_id))
        return _LEFT
    say(told(ended))
    return exit_code_of(ended)


def add_options(parser: argparse.ArgumentParser) -> None:
    """What a run on a server may be asked for besides."""
    queued = parser.add_argument_group("with --backend slipway")
    queued.add_argument("-c", "--backend-config", metavar="FILE", help="a JSON file with any of: queue, priority, …")
    queued.add_argument("--queue", help="default: the project's")
    queued.add_argument("--priority", type=int, metavar="N", help="0 to 100, higher goes first; usually 50")
    queued.add_argument("--gpus", type=int, metavar="N", help="so many free devices of a worker")
    queued.add_argument("--retries", type=int, metavar="N", help="attempts beyond the first")
    queued.add_argument("--timeout", type=int, metavar="SECONDS", help="the run is ended after so long")
    queued.add_argument(
        "--limit", action="append", type=_limit, default=[], metavar="NAME=VALUE", help="such as memory_mb=4096"
    )
    queued.add_argument(
        "--env",
        action="append",
        type=_variable,
        default=[],
        metavar="NAME[=VALUE]",
        help="a variable; without a value, yours",
    )
    queued.add_argument("--secret", action="append", default=[], metavar="NAME", help="a secret of the team")
    queued.add_argument("--project", default="", help="default: the name in the MLproject")
    queued.add_argument("--detach", action="store_true", help="print the run's number and leave it to the server")


def _more(options: argparse.Namespace, config: dict[str, Any]) -> dict[str, Any]:
    """The fields of a run that options and the file name; options win."""
    from apps.projects.running.config import fields_of

    more = fields_of(config)
    for name in ("queue", "priority", "gpus", "retries"):
        if (value := getattr(options, name)) is not None:
            more[name] = value
    limits = dict(options.limit) | ({"seconds": options.timeout} if options.timeout is not None else {})
    for name, values in (
        ("limits", limits),
        ("env_vars", dict(options.env)),
        ("docker_args", dict(options.docker_args)),
    ):
        if values:
            more[name] = {**more.get(name, {}), **values}
    return more | ({"secrets": options.secret} if options.secret else {})


def _config(file: str) -> dict[str, Any]:
    from apps.core.errors import InvalidInput

    try:
        found = json.loads(Path(file).read_text())
    except (OSError, ValueError) as error:
        raise InvalidInput(f"{file} can't be read as JSON: {error}.") from error
    if not isinstance(found, dict):
        raise InvalidInput(f'{file} has to hold a JSON object, such as {{"queue": "gpu"}}.')
    return found


def _cancel(server: Server, run_id: str) -> None:
    from apps.core.errors import Conflict

    try:
        server.cancel(run_id, "Ctrl-C where it was started.")
    except Conflict:  # it ended meanwhile
        return


def _limit(text: str) -> tuple[str, int | float | bool]:
    name, _, value = text.partition("=")
    try:
        found = json.loads(value)
    except ValueError:
        found = None
    if not name or not isinstance(found, (bool, int, float)):
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=NUMBER, such as memory_mb=4096")
    return name, found


def _variable(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals and name not in os.environ:
        raise argparse.ArgumentTypeError(f"{name} is not set here")
    return name, value if equals else os.environ[name]
