"""How states are called: one set of words for pages, API, command line and guides. Needs no settings of a server."""

from __future__ import annotations

from enum import StrEnum

from django.utils.translation import gettext as _


class StateWord(StrEnum):
    """How a deployment stands.

    `PENDING`, `BUILDING` and `STARTING`: on the way to what is wanted; what served before goes on meanwhile.
    `READY`: what is wanted answers, with all its instances. `DEGRADED`: it answers, and something is wrong.
    `UNHEALTHY`: what has its traffic does not answer; its instances are started anew. `FAILED`: what is wanted could
    not be made ready, and nothing else answers.
    """

    PENDING = "pending"
    BUILDING = "building"
    STARTING = "starting"
    READY = "ready"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"
    FAILED = "failed"
    STOPPED = "stopped"


WORDS = [word.value for word in StateWord]


def state_name(state: str) -> str:
    """The state of a deployment, a revision or an instance as pages show it: the word that is said everywhere else."""
    names = {
        "pending": _("Pending"),
        "building": _("Building"),
        "starting": _("Starting"),
        "ready": _("Ready"),
        "degraded": _("Degraded"),
        "unhealthy": _("Unhealthy"),
        "draining": _("Draining"),
        "failed": _("Failed"),
        "stopped": _("Stopped"),
        "ended": _("Ended"),
    }
    return names[state]
