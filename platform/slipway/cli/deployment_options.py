"""What `slipway deployments` takes."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from typing import Any

from apps.deployments.state_words import WORDS

_STAGES = ("None", "Staging", "Production", "Archived")
_URI = "models:/NAME/1, models:/NAME@ALIAS, models:/NAME/Production or models:/NAME"
Does = Mapping[str, Callable[..., int]]


def parser_of(does: Does) -> argparse.ArgumentParser:
    """A command for each of `does`."""
    parser = argparse.ArgumentParser("slipway deployments", description="Models behind endpoints of a server.")
    commands = _Commands(parser.add_subparsers(metavar="COMMAND", required=True), does)
    _add_reading(commands)
    _add_making(commands)
    _add_traffic(commands)
    _add_running(commands)
    return parser


class _Commands:
    """Adds commands that have the name of a deployment, and what most of them take."""

    def __init__(self, commands: Any, does: Does) -> None:
        self._commands, self._does = commands, does

    def add(
        self, name: str, text: str, *, named: bool = True, waits: bool = False, reason: bool = False, json: bool = True
    ) -> argparse.ArgumentParser:
        """A command; `waits`: for what it starts, where that is wanted."""
        made: argparse.ArgumentParser = self._commands.add_parser(
            name, help=text, description=f"{text[0].upper()}{text[1:]}."
        )
        made.set_defaults(does=self._does[name])
        if named:
            made.add_argument("name", metavar="NAME", help="of the deployment")
        if reason:
            made.add_argument("--reason", default="", help="kept in the audit log")
        if waits:
            made.add_argument("-w", "--wait", action="store_true", help="until it is done; leaves with 1 if it fails")
            _add_timeout(made)
        if json:
            made.add_argument("--json", action="store_true", help="what the server answers, on standard output")
        return made


def _add_reading(commands: _Commands) -> None:
    listed = commands.add("list", "the newest deployments", named=False)
    listed.add_argument("--state", choices=WORDS)
    listed.add_argument("--team")
    listed.add_argument("--model", help="of a registered model")
    listed.add_argument("--text", help="whose name, or whose model's, contains this")
    _add_limit(listed)
    commands.add("show", "all about one")
    _add_limit(commands.add("revisions", "what it serves and served; * marks what is wanted"))
    instances = commands.add("instances", "what runs of it")
    instances.add_argument("--all", action="store_true", help="those that have ended too")
    _add_limit(instances)
    logs = commands.add("logs", "what an instance wrote: the newest, unless one is named", json=False)
    logs.add_argument("-f", "--follow", action="store_true", help="go on, from instance to instance")
    logs.add_argument("--instance", default="", metavar="ID")
    logs.add_argument("--revision", type=int, metavar="N")
    logs.add_argument("--tail", type=_count, metavar="BYTES", help="the last of it")
    wait = commands.add("wait", "wait until it serves what is wanted; leaves with 1 if that fails", json=False)
    wait.add_argument("--revision", type=int, metavar="N", help="wait for this one")
    _add_timeout(wait)


def _add_making(commands: _Commands) -> None:
    made = commands.add("create", "serve a version of a registered model under a name", waits=True)
    made.add_argument("-m", "--model-uri", required=True, metavar="URI", help=_URI)
    _add_config(made)
    _add_rules(made)
    changed = commands.add("update", "serve another version or configuration, or change its rules", waits=True)
    changed.add_argument("-m", "--model-uri", metavar="URI", help=f"{_URI}; default: the version that is served")
    changed.add_argument("--canary", action="store_true", help="make it ready, and leave traffic to `shift`")
    changed.add_argument("--reason", default="", help="kept in the audit log")
    _add_config(changed)
    _add_rules(changed)
    back = commands.add("rollback", "serve an earlier revision again", waits=True, reason=True)
    back.add_argument("--to", type=int, metavar="REVISION", help="default: the one that served before")
    again = commands.add("retry", "try a revision that failed once more", waits=True)
    again.add_argument("--revision", type=int, metavar="N", help="default: the one that is wanted")
    accepted = commands.add("accept", "deploy the version that is proposed", waits=True, reason=True)
    accepted.add_argument("--canary", action="store_true", help="make it ready, and leave traffic to `shift`")
    commands.add("dismiss", "leave what is served, whatever is proposed", reason=True)


def _add_traffic(commands: _Commands) -> None:
    shifted = commands.add("shift", "split the traffic among revisions that are ready", waits=True, reason=True)
    shifted.add_argument(
        "weights",
        nargs="+",
        metavar="REVISION=PERCENT",
        help="100 together; what one alone leaves goes to what is wanted",
    )
    ended = commands.add("end-canary", "give a canary's traffic back", reason=True)
    ended.add_argument("--revision", type=int, metavar="N", help="default: the only canary")
    scaled = commands.add("scale", "set how many instances it has", waits=True)
    scaled.add_argument("instances", type=int, metavar="N")


def _add_running(commands: _Commands) -> None:
    commands.add("stop", "let nothing of it run; its address answers 503", waits=True, reason=True)
    commands.add("start", "let it serve again", waits=True, reason=True)
    deleted = commands.add("delete", "remove it with its revisions, for good", reason=True, json=False)
    deleted.add_argument("--stop", action="store_true", help="stop it first, and wait until nothing of it runs")
    _add_timeout(deleted)


def _add_config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-C",
        "--config",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="such as instances=2, memory_mb=2048, target=docker, env_vars.LEVEL=3; an empty value: as usual",
    )


def _add_rules(parser: argparse.ArgumentParser) -> None:
    rules = parser.add_argument_group("rules and port")
    rules.add_argument("--description")
    rules.add_argument("--follow", metavar="WHAT", help="stage:Production, alias:NAME or fixed")
    rules.add_argument("--mode", choices=("propose", "apply"), help="what happens when that has another version")
    rules.add_argument(
        "--stage",
        action="append",
        choices=(*_STAGES, "any"),
        help="a version has to be in one of these to be deployed here; may be repeated",
    )
    rules.add_argument("--port", metavar="PORT", help="a port of its own, besides the gateway's address; none: without")
    rules.add_argument("--port-host", metavar="ADDRESS", help="to listen on (usually 127.0.0.1)")
    rules.add_argument("--open", action=argparse.BooleanOptionalAction, help="callers of the port need no token")


def _add_limit(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--limit", type=_count, default=50, metavar="N", help="at most so many (default %(default)s)")


def _add_timeout(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--timeout", type=_count, default=1800, metavar="SECONDS", help="wait so long at most (default %(default)s)"
    )


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) < 2**31:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number above 0")
    return int(text)
