"""`slipway deployments`: endpoints of the server of `MLFLOW_TRACKING_URI`. Needs no settings of it."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from slipway.cli.deployment_options import parser_of
from slipway.cli.tables import print_fields, print_json, print_table, say

if TYPE_CHECKING:
    from apps.deployments.client.server import Server

_FAILED, _REFUSED, _LEFT = 1, 2, 130
_COLUMNS = ("NAME", "STATE", "MODEL", "VERSION", "REVISION", "INSTANCES", "TRAFFIC", "AGE", "TEAM")
_REVISION_COLUMNS = ("REVISION", "STATE", "VERSION", "TRAFFIC", "INSTANCES", "BY", "AGE", "REASON")
_INSTANCE_COLUMNS = ("INSTANCE", "STATE", "REVISION", "HOST", "TARGET", "MEMORY", "FAILURES", "AGE")


def main(arguments: Sequence[str]) -> int:
    """0; 1 where what was waited for failed or did not come in time; 2 where the server refuses; 130 after Ctrl-C."""
    options = parser_of(_DOES).parse_args(arguments)
    from apps.core.errors import DomainError
    from apps.deployments.client.server import server_of_environment

    try:
        code: int = options.does(server_of_environment(os.environ, say), options)
        return code
    except DomainError as error:
        say(f"slipway deployments: {error.message}")
        return _REFUSED
    except KeyboardInterrupt:
        return _LEFT


def _list(server: Server, options: argparse.Namespace) -> int:
    wanted = {name: getattr(options, name) for name in ("state", "team", "model", "text")}
    found = server.deployments(options.limit, **wanted)
    if options.json:
        return print_json(found)
    return print_table(_COLUMNS, [_row(each) for each in found])


def _show(server: Server, options: argparse.Namespace) -> int:
    found = server.get(options.name)
    return print_json(found) if options.json else print_fields({**found, "url": server.uri + found["path"]})


def _create(server: Server, options: argparse.Namespace) -> int:
    from apps.deployments.client.words import config_of, pairs_of

    body = {"name": options.name, "version": options.model_uri, "config": config_of(pairs_of(options.config))}
    made = server.create(body | _rules(options))
    say(f"{made['name']} is being made: {server.uri}/deployments/{made['name']}/")
    return _ended(server, options, made, made["revision"])


def _update(server: Server, options: argparse.Namespace) -> int:
    from apps.core.errors import InvalidInput
    from apps.deployments.client.words import config_of, pairs_of

    rules, config = _rules(options), config_of(pairs_of(options.config))
    deploys = bool(options.model_uri or config or options.canary)
    if not (rules or deploys):
        raise InvalidInput("Say what to change: a version, its configuration, rules, the port, …")
    made: Any = server.change(options.name, rules) if rules else None
    if deploys:
        asked = {"version": options.model_uri, "config": config or None, "canary": options.canary}
        revision = server.act(options.name, "deploy", reason=options.reason, **asked)
        return _begun(server, options, revision, f"Revision {revision['number']} of {options.name} is being made.")
    return _ended(server, options, made, made["revision"])


def _rollback(server: Server, options: argparse.Namespace) -> int:
    revision = server.act(options.name, "rollback", revision=options.to, reason=options.reason)
    said = f"{options.name} goes back to revision {revision['number']} (version {revision['version']})."
    return _begun(server, options, revision, said)


def _retry(server: Server, options: argparse.Namespace) -> int:
    revision = server.act(options.name, "retry", revision=options.revision)
    return _begun(server, options, revision, f"Revision {revision['number']} of {options.name} is tried again.")


def _shift(server: Server, options: argparse.Namespace) -> int:
    from apps.deployments.client.words import weights_of

    weights = weights_of(options.weights, server.get(options.name)["revision"])
    found = server.act(options.name, "shift", weights=weights, reason=options.reason)
    if options.wait:
        serving = [int(number) for number, weight in weights.items() if weight]
        if any(_waited(server, options.name, number, options.timeout) for number in serving):
            return _FAILED
        found = server.get(options.name)
    return _told(options, found)


def _end_canary(server: Server, options: argparse.Namespace) -> int:
    return _told(options, server.act(options.name, "end-canary", revision=options.revision, reason=options.reason))


def _scale(server: Server, options: argparse.Namespace) -> int:
    found = server.act(options.name, "scale", instances=options.instances)
    return _ended(server, options, found, found["revision"])


def _stop(server: Server, options: argparse.Namespace) -> int:
    from apps.deployments.client.waiting import wait_until_gone

    found = server.act(options.name, "stop", reason=options.reason)
    if options.wait and not wait_until_gone(server, options.name, seconds=options.timeout, say=say):
        return _FAILED
    return _told(options, server.get(options.name) if options.wait else found)


def _start(server: Server, options: argparse.Namespace) -> int:
    found = server.act(options.name, "start", reason=options.reason)
    return _ended(server, options, found, found["revision"])


def _accept(server: Server, options: argparse.Namespace) -> int:
    revision = server.act(options.name, "accept", canary=options.canary, reason=options.reason)
    said = f"Revision {revision['number']} of {options.name} is being made of version {revision['version']}."
    return _begun(server, options, revision, said)


def _dismiss(server: Server, options: argparse.Namespace) -> int:
    return _told(options, server.act(options.name, "dismiss", reason=options.reason))


def _delete(server: Server, options: argparse.Namespace) -> int:
    from apps.deployments.client.waiting import wait_until_gone

    if options.stop:
        server.act(options.name, "stop", reason=options.reason)
        wait_until_gone(server, options.name, seconds=options.timeout, say=say)
    server.delete(options.name)
    say(f"{options.name} is deleted.")
    return 0


def _revisions(server: Server, options: argparse.Namespace) -> int:
    from slipway.cli.tables import age_of

    found = server.revisions(options.name, options.limit)
    if options.json:
        return print_json(found)
    rows = []
    for each in found:
        counted = f"{each['instances_ready']}/{each['instances_wanted']}"
        marks = "".join(mark for mark, is_so in ((" *", each["is_wanted"]), (" canary", each["is_canary"])) if is_so)
        told = (each["state"], each["version"], f"{each['weight']} %", counted, each["owner"] or "the system")
        rows.append((f"{each['number']}{marks}", *map(str, told), age_of(each["created_ms"]), each["reason"]))
    return print_table(_REVISION_COLUMNS, rows)


def _instances(server: Server, options: argparse.Namespace) -> int:
    from slipway.cli.tables import age_of, size_of

    found = server.instances(options.name, options.limit, alive=None if options.all else "true")
    if options.json:
        return print_json(found)
    rows = []
    for each in found:
        told = (each["id"], each["state"], each["revision"], each["host"], each["target"])
        more = (size_of(each["memory_bytes"]), str(each["failures"]), age_of(each["started_ms"]))
        rows.append((*map(str, told), *more))
    return print_table(_INSTANCE_COLUMNS, rows)


def _logs(server: Server, options: argparse.Namespace) -> int:
    from apps.deployments.client.following import follow_logs, instance_to_read, print_log

    instance = instance_to_read(server, options.name, options.instance, options.revision)
    offset = print_log(server, options.name, instance, options.tail, _write, say)
    if options.follow:
        follow_logs(server, options.name, instance, offset, _write, say)
    return 0


def _wait(server: Server, options: argparse.Namespace) -> int:
    return _waited(server, options.name, options.revision, options.timeout)


def _rules(options: argparse.Namespace) -> dict[str, Any]:
    """The fields of a deployment that options name."""
    from apps.core.errors import InvalidInput
    from apps.deployments.client.words import follow_of, number_of

    body: dict[str, Any] = {}
    if options.follow is not None:
        body |= follow_of(options.follow, options.mode)
    elif options.mode is not None:
        body["follow_mode"] = options.mode
    if options.stage is not None:
        body["stages"] = [stage for stage in options.stage if stage != "any"]
    if options.description is not None:
        body["description"] = options.description
    if options.port is not None:
        body["port"] = None if options.port == "none" else number_of("--port", options.port)
    if options.port_host is not None:
        body["port_host"] = options.port_host
    if options.open is not None:
        body["port_open"] = options.open
    if body.get("port", 0) is None and len(body.keys() & {"port_host", "port_open"}):
        raise InvalidInput("--port none leaves nothing to open.")
    return body


def _begun(server: Server, options: argparse.Namespace, revision: Any, said: str) -> int:
    """A revision was asked for: say what comes of it, and wait where that is wanted."""
    name = options.name
    if server.get(name)["is_stopped"]:
        version = f"revision {revision['number']} (version {revision['version']})"
        said = f"{name} is stopped: {version} is made once it is started, with `slipway deployments start {name}`."
    say(said)
    return _ended(server, options, revision, revision["number"])


def _ended(server: Server, options: argparse.Namespace, made: Any, number: int | None) -> int:
    """What was asked is under way: wait for it where that is wanted, and tell."""
    code = _waited(server, options.name, number, options.timeout) if options.wait else 0
    if options.json:
        print_json(server.get(options.name) if options.wait else made)
    return code


def _waited(server: Server, name: str, number: int | None, seconds: float) -> int:
    from apps.deployments.client.waiting import wait_until_serving

    outcome = wait_until_serving(server, name, number, seconds=seconds, say=say)
    say(outcome.said)
    return 0 if outcome.is_well else _FAILED


def _told(options: argparse.Namespace, deployment: Any) -> int:
    if options.json:
        return print_json(deployment)
    say(f"{deployment['name']} is {deployment['state']}: {deployment['message']}")
    return 0


def _row(each: dict[str, Any]) -> tuple[str, ...]:
    from slipway.cli.tables import age_of

    routes = each["routes"]
    ready, wanted = (sum(route[f"instances_{name}"] for route in routes) for name in ("ready", "wanted"))
    split = " ".join(f"{route['revision']}:{route['weight']}%" for route in routes)
    told = (each["name"], each["state"], each["model"] or "", each["version"] or "", each["revision"] or "")
    return (*map(str, told), f"{ready}/{wanted}", split, age_of(each["created_ms"]), each["team"])


def _write(text: str) -> None:
    from apps.deployments.client.terminals import harmless

    sys.stdout.write(harmless(text))
    sys.stdout.flush()


_DOES = {
    "list": _list,
    "show": _show,
    "create": _create,
    "update": _update,
    "rollback": _rollback,
    "retry": _retry,
    "shift": _shift,
    "end-canary": _end_canary,
    "scale": _scale,
    "stop": _stop,
    "start": _start,
    "accept": _accept,
    "dismiss": _dismiss,
    "delete": _delete,
    "revisions": _revisions,
    "instances": _instances,
    "logs": _logs,
    "wait": _wait,
}
