"""What deployments tell inboxes, mails and webhooks."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Membership, ObjectKind
from apps.core.actor import Actor, Role
from apps.deployments.addresses import deployment_url
from apps.deployments.models import Deployment, Revision
from apps.notifications.actions import publish
from apps.notifications.happenings import Happening
from apps.notifications.topics import Topic, declare_topic
from apps.registry.models import ModelVersion

PROPOSED = declare_topic("deployment.proposed", _("Versions that are proposed for deployments of my team"))
CHANGED = declare_topic("deployment.changed", _("Deployments that follow the registry and changed by themselves"))
FAILED = declare_topic("deployment.failed", _("Deployments that could not be made ready, or stopped answering"))


def tell_proposed(actor: Actor, deployment: Deployment, version: ModelVersion) -> None:
    """That a deployment could serve another version, and somebody has to decide."""
    text = f"{deployment.followed} of {version.model.name} is version {version.number}: deploy it to {deployment.name}?"
    _tell(actor, deployment, PROPOSED, text)


def tell_followed(actor: Actor, deployment: Deployment, version: ModelVersion) -> None:
    """That a deployment goes over to another version by its rule."""
    _tell(
        actor, deployment, CHANGED, f"{deployment.name} goes over to version {version.number} of {version.model.name}."
    )


def tell_failed(actor: Actor, revision: Revision) -> None:
    """That a revision could not be made ready, or can't be kept running."""
    line = revision.message.strip().splitlines()[0] if revision.message.strip() else ""
    _tell(actor, revision.deployment, FAILED, f"{revision} failed. {line}".strip(), {revision.owner_id or 0})


def tell_ailing(actor: Actor, revision: Revision) -> None:
    """That an instance of what serves ended again and again; it is tried on."""
    line = revision.message.strip().splitlines()[0] if revision.message.strip() else ""
    _tell(actor, revision.deployment, FAILED, f"{revision} keeps ending. {line}".strip(), {revision.owner_id or 0})


def _tell(
    actor: Actor, deployment: Deployment, topic: Topic, text: str, also: set[int] | frozenset[int] = frozenset()
) -> None:
    happening = Happening(
        topic=topic,
        team_id=deployment.team_id,
        team_name=deployment.team.name,
        kind=ObjectKind.DEPLOYMENT,
        object_id=deployment.pk,
        object_name=deployment.name,
        text=text,
        url=deployment_url(deployment),
    )
    keepers = Membership.objects.filter(team_id=deployment.team_id, role__in=(Role.MAINTAINER, Role.ADMIN))
    people = {
        *keepers.values_list("user_id", flat=True),
        *also,
        *((deployment.owner_id,) if deployment.owner_id else ()),
    }
    publish(actor, happening=happening, to=people - {0})
