"""Waiting until a revision serves, or it is known that it never will."""

from __future__ import annotations

import time
from dataclasses import dataclass

from apps.core.errors import Conflict
from apps.deployments.client.server import Json, Say, Server

USUAL_SECONDS = 1800.0
_LOOK_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """`is_well`: it serves, or a canary is ready. `is_late`: nobody knows yet. `said`: a sentence."""

    said: str
    is_well: bool = False
    is_late: bool = False


def wait_until_serving(
    server: Server, name: str, number: int | None = None, *, seconds: float = USUAL_SECONDS, say: Say
) -> Outcome:
    """Look at a revision (the wanted one, where none is named) until it has come to an end; says what is new.

    Raises `DomainError` where the server does.
    """
    until, told = time.monotonic() + seconds, ""
    while True:
        deployment = server.get(name)
        looked_at = deployment["revision"] if number is None else number
        if looked_at is None:
            raise Conflict(f"{name} has no revision to wait for.")
        revision = server.revision(name, looked_at)
        if (outcome := _outcome(deployment, revision)) is not None:
            return outcome
        if deployment["message"] != told:
            told = deployment["message"]
            say(f"{name}: {told}")
        if time.monotonic() + _LOOK_SECONDS > until:
            return Outcome(f"After {seconds:.0f} s it is {deployment['state']}: {told}", is_late=True)
        time.sleep(_LOOK_SECONDS)


def wait_until_gone(server: Server, name: str, *, seconds: float, say: Say) -> bool:
    """Whether no instance of a stopped deployment was left within that time."""
    until, told = time.monotonic() + seconds, -1
    while left := len(server.instances(name, alive="true")):
        if left != told:
            told = left
            say(f"{name}: {left} still {'runs' if left == 1 else 'run'}.")
        if time.monotonic() + _LOOK_SECONDS > until:
            return False
        time.sleep(_LOOK_SECONDS)
    return True


def _outcome(deployment: Json, revision: Json) -> Outcome | None:
    """What it came to; None while it is on its way."""
    name, number = deployment["name"], revision["number"]
    named = f"Revision {number} of {name} ({revision['model']} version {revision['version']})"
    if revision["state"] == "failed":
        return Outcome(f"{named} failed: {revision['message'] or 'nobody knows why.'}")
    if deployment["is_stopped"]:
        return Outcome(f"{name} is stopped: it is started with `slipway deployments start {name}`.")
    if not (revision["is_wanted"] or revision["is_canary"]):
        return Outcome(f"{named} is not wanted any more; revision {deployment['revision']} is.")
    answers = revision["instances_ready"] >= max(1, revision["instances_wanted"])
    if revision["state"] == "ready" and answers:
        if revision["is_canary"] and revision["weight"]:
            return Outcome(f"{named} serves {revision['weight']} % of the calls.", is_well=True)
        if revision["is_canary"]:
            return Outcome(f"{named} is ready, and waits for traffic.", is_well=True)
        if revision["weight"] and deployment["port_error"]:
            return Outcome(f"{named} serves, but not at its port {deployment['port']}: {deployment['port_error']}")
        if revision["weight"]:
            return Outcome(f"{named} serves.", is_well=True)
    return None
