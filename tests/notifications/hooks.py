from __future__ import annotations

from typing import Any

from apps.notifications.access import Place
from apps.notifications.actions import HookChange, create_webhook, publish
from apps.notifications.models import Delivery, Notification, Webhook
from tests.notifications.happenings import happening
from tests.personas import People, Persona

ALL = ["model_version.created", "registered_model.created", "comment.created"]


def make_hook(people: People, url: str, *, by: Persona | None = None, dialect: str = "generic", **more: Any) -> Webhook:
    """A webhook of all of the team forge, made by Root unless somebody is named."""
    place = more.pop("place", Place(people.forge.pk, people.forge.name))
    change = HookChange(**{"name": "hook", "url": url, "events": ALL, **more})
    return create_webhook((by or people.root).actor, place=place, dialect=dialect, change=change)


def notification_ids(people: People) -> dict[str, str]:
    """Ids for the doors: webhooks of the team forge in two dialects, a finished delivery, and a line of Ada's inbox."""
    url = "https://hooks.invalid/x"
    hook = make_hook(people, url, dialect="mlflow", events=["model_version.created"])
    registry_hook = make_hook(people, url, dialect="databricks", events=["COMMENT_CREATED"])
    delivery = Delivery.objects.create(webhook=hook, event="model_version.created", payload="{}", state="delivered")
    publish(people.root.actor, happening=happening(people), to=[people.ada.user.pk])
    return {
        "hook": str(hook.uid),
        "registry_hook": registry_hook.uid.hex,
        "delivery": str(delivery.pk),
        "line": str(Notification.objects.get(user=people.ada.user).pk),
    }
