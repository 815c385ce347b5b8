"""Which versions deployments stand on: what the registry asks before one is deleted, or archived by hand."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import F, Q

from apps.core.actor import Actor
from apps.deployments.addresses import deployment_url
from apps.deployments.models import Following, Revision
from apps.deployments.selectors.deployments import deployments_of_version
from apps.deployments.selectors.states import states_of
from apps.registry.uses import Use, register_served, register_users


def register() -> None:
    """Let the registry know what is deployed."""
    register_users(sentences)
    register_served(served)


def sentences(versions: Sequence[int]) -> list[str]:
    """Of each deployment that serves one of the versions, or is about to: its name, and what to do. One statement."""
    used = Q(routes__weight__gt=0) | Q(pk=F("deployment__wanted"))
    found = Revision.objects.filter(used, version__in=versions, deployment__is_stopped=False)
    names = found.order_by("deployment__name").values_list("deployment__name", "deployment__follows").distinct()
    return [_sentence(name, follows) for name, follows in names[:5]]


def _sentence(name: str, follows: str) -> str:
    if follows == Following.FIXED:
        return f"The deployment {name} serves it; deploy another version there, or stop that first."
    return f"The deployment {name} serves it and follows the registry; move another version there first, or stop it."


def served(actor: Actor, version_id: int) -> list[Use]:
    """The deployments that serve a version, or are about to, as far as the actor may see them. Three statements."""
    found = deployments_of_version(actor, version_id)
    states = states_of(found) if found else {}
    return [Use(f"deployment:{one.pk}", one.name, states[one.pk].word, deployment_url(one)) for one in found]
