"""Reading and following the logs of a deployment's instances."""

from __future__ import annotations

import time
from collections.abc import Callable

from apps.core.errors import NotFound
from apps.deployments.client.server import Json, Say, Server

_WAIT_SECONDS = 10.0
# A host writes a log on once somebody asks for it: then the last lines are there after so long.
_FRESH_SECONDS = 2.0
_LOOK_SECONDS = 1.0
Write = Callable[[str], None]


def instance_to_read(server: Server, name: str, key: str = "", revision: int | None = None) -> str:
    """The one that is named, else the newest that is alive, else the newest. Raises `NotFound` where none ever was."""
    if key:
        return key
    for alive in ("true", "false"):
        if found := server.instances(name, 1, alive=alive, revision=revision):
            return str(found[0]["id"])
    deployment = server.get(name)
    said = f"Nothing of {name} has run yet, so there is no log. {deployment['message']}"
    number = revision if revision is not None else deployment["revision"]
    build = server.revision(name, number)["build"] if number is not None else None
    raise NotFound(f"{said}. The log of its build: {server.uri}/project-runs/{build}/" if build else said)


def print_log(server: Server, name: str, instance: str, tail: int | None, write: Write, say: Say) -> int:
    """What there is now, or the last `tail` bytes of it; where it ends."""
    offset = _print_pieces(server, name, instance, 0 if tail is None else -tail, write, say if tail is None else None)
    piece = server.log(name, instance, offset, wait=_FRESH_SECONDS)
    write(piece.text)
    return _print_pieces(server, name, instance, piece.end, write, None) if piece.text else piece.end


def _print_pieces(server: Server, name: str, instance: str, offset: int, write: Write, say: Say | None) -> int:
    """What is kept from a byte on; where it ends. With `say` it is told where the beginning is not there."""
    while True:
        piece = server.log(name, instance, offset)
        if say and piece.start > 0 and piece.text:
            say("(older lines are not kept)")
        say = None
        write(piece.text)
        offset = piece.end
        if not piece.text:
            return offset


def follow_logs(server: Server, name: str, instance: str, offset: int, write: Write, say: Say) -> None:
    """Write what comes, from instance to instance, until the deployment is stopped or nothing of it will come."""
    while True:
        _follow_one(server, name, instance, offset, write, say)
        following = _next(server, name, instance)
        if following is None:
            return
        instance, offset = following, 0
        say(f"— instance {instance} —")


def _follow_one(server: Server, name: str, instance: str, offset: int, write: Write, say: Say) -> None:
    while True:
        piece = server.log(name, instance, offset, wait=_WAIT_SECONDS)
        if piece.text and piece.start > offset:
            say(f"({piece.start - offset} bytes were not kept)")
        write(piece.text)
        offset = piece.end
        if piece.has_ended:
            say(f"— instance {instance} has ended —")
            return


def _next(server: Server, name: str, instance: str) -> str | None:
    """The next one that is alive, once there is one; None where nobody will start it."""
    while True:
        deployment: Json = server.get(name)
        newer = [str(each["id"]) for each in server.instances(name, alive="true") if int(each["id"]) > int(instance)]
        if newer:
            return newer[-1]
        if deployment["state"] in ("stopped", "failed", "ready"):
            return None
        time.sleep(_LOOK_SECONDS)
