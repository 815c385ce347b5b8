"""The console command: our own programs, and Django's management commands for all else."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module

from slipway import env

PROGRAMS = {
    "up": "everything on this machine, with nothing else installed",
    "server": "pages and the API alone",
    "worker": "the work that is queued",
    "serving": "run what is deployed, and bring it to what is wanted",
    "scheduler": "the clock: queues what is due",
    "migrate": "bring the database up to date, and make the administrator at the first time",
    "backup": "save the database and all files into one archive, while the server runs",
    "restore": "bring back what was saved, into an installation without data",
    "doctor": "look at all parts, and say what to do where one is not well",
    "run": "run an entry point of an MLproject here, or on a server",
    "models": "serve a model of a server, or of a folder, on this machine",
    "runs": "list, follow and cancel the runs of projects on a server",
    "deployments": "deploy models of a server, change, watch and end what serves them",
}
# Those that others start, and nobody has to know.
_WITHIN = {"serving-ports": "serving_ports", "prepare": "prepare"}


def main() -> None:
    """`slipway COMMAND`: ours where we have one of that name, else Django's. Leaves with 2 on a wrong setting."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "slipway.settings.prod")
    if sys.argv[1:2] not in (["run"], ["runs"], ["models"]):
        # What we write (the database, keys, files) is for our user alone; what a run writes is the caller's.
        os.umask(0o077)
    try:
        sys.exit(_run(sys.argv))
    except env.WrongSetting as error:
        print(f"slipway: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(2)
    except BrokenPipeError:
        # Who read our output has seen enough, as `head` does; the interpreter would complain at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)


def _run(argv: list[str]) -> int:
    name = argv[1] if len(argv) > 1 else "help"
    if name in PROGRAMS or name in _WITHIN:
        return _program(_WITHIN.get(name, name))(argv[2:])
    if name in ("-h", "--help") or (name == "help" and len(argv) <= 2):
        return _program("overview")([])
    from slipway.cli import management

    return management.main(argv)


def _program(name: str) -> Callable[[Sequence[str]], int]:
    program: Callable[[Sequence[str]], int] = import_module(f"slipway.cli.{name}").main
    return program
