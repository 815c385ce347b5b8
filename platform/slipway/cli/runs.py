"""`slipway runs`: the runs of projects on the server of `MLFLOW_TRACKING_URI`. Needs no settings of it."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from slipway.cli import queued

if TYPE_CHECKING:
    from apps.projects.running.server import Server

_STATES = ("active", "ended", "queued", "preparing", "running", "finished", "failed", "cancelled", "lost")
_COLUMNS = ("RUN", "STATE", "PROJECT", "ENTRY POINT", "QUEUE", "OWNER", "AGE", "WORKER")


def main(arguments: Sequence[str]) -> int:
    """0; the run's exit code after following it; 2 where the server refuses."""
    options = _parser().parse_args(arguments)
    from apps.core.errors import DomainError
    from apps.projects.running.server import server_of_environment

    try:
        code: int = options.does(server_of_environment(os.environ, _say), options)
        return code
    except DomainError as error:
        _say(f"slipway runs: {error.message}")
        return 2


def _list(server: Server, options: argparse.Namespace) -> int:
    found = server.runs(
        state=options.state, queue=options.queue, text=options.project, mine=options.mine, page_size=options.limit
    )
    if options.json:
        return _print(json.dumps(found, indent=2))
    rows = [_COLUMNS, *map(_row, found)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        _print("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())
    return 0


def _show(server: Server, options: argparse.Namespace) -> int:
    run = server.run(options.run)
    if options.json:
        return _print(json.dumps(run, indent=2))
    for name, value in run.items():
        if value not in (None, "", [], {}):
            _print(f"{name:<17} {_told(name, value)}")
    return 0


def _logs(server: Server, options: argparse.Namespace) -> int:
    from apps.projects.running.following import Follower

    if options.follow:
        return queued.follow(server, options.run, _say, stamped=options.timestamps)
    Follower(server, options.run, sys.stdout.buffer, _say, stamped=options.timestamps).read_once()
    return 0


def _cancel(server: Server, options: argparse.Namespace) -> int:
    run = server.cancel(options.run, options.reason)
    return _print(f"Run {run['id']} is {'being ended' if run['ended_ms'] is None else run['state']}.")


def _row(run: dict[str, Any]) -> tuple[str, ...]:
    names = ("id", "state", "project_name", "entry_point", "queue", "owner")
    return (*(str(run[name]) for name in names), _age(run["queued_ms"]), str(run["worker"]))


def _age(since_ms: int) -> str:
    seconds = max(0, int(time.time() - since_ms / 1000))
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "m")):
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def _told(name: str, value: Any) -> str:
    if name.endswith("_ms") and value:
        return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(value / 1000))
    return json.dumps(value) if isinstance(value, (dict, list)) else str(value)


def _print(text: str) -> int:
    print(text)  # noqa: T201
    return 0


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("slipway runs", description="Runs of projects on a server.")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    listed = _command(commands, "list", "the newest runs", _list)
    listed.add_argument("--state", choices=_STATES, default="")
    listed.add_argument("--queue", default="")
    listed.add_argument("--project", default="", help="whose name contains this")
    listed.add_argument("--mine", action="store_true", help="those that you started")
    listed.add_argument("--limit", type=int, default=50, metavar="N", help="at most so many, up to 1000")
    listed.add_argument("--json", action="store_true")
    shown = _command(commands, "show", "all about one run", _show)
    shown.add_argument("--json", action="store_true")
    logs = _command(commands, "logs", "what it wrote", _logs)
    logs.add_argument("-f", "--follow", action="store_true", help="until it has ended; leaves with its exit code")
    logs.add_argument("-t", "--timestamps", action="store_true", help="with the time of each line")
    cancelled = _command(commands, "cancel", "end it, and all it started", _cancel)
    cancelled.add_argument("--reason", default="", help="kept with the run and in the audit log")
    for one in (shown, logs, cancelled):
        one.add_argument("run", metavar="RUN", help="its number")
    return parser


def _command(commands: Any, name: str, text: str, does: Callable[[Server, argparse.Namespace], int]) -> Any:
    made = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
    made.set_defaults(does=does)
    return made
