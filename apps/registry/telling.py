"""What the registry tells inboxes, mails and webhooks: one function for each kind of news, called by the actions."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.accounts.models import ObjectKind
from apps.core.actor import Actor
from apps.notifications.actions import publish
from apps.notifications.happenings import Happening
from apps.notifications.topics import Topic, declare_topic
from apps.registry.addresses import model_url, request_url, version_url
from apps.registry.models import ModelVersion, Override, PromotionRequest, RegisteredModel

MODEL = declare_topic("registry.model", _("Models are made, renamed or deleted"))
VERSION = declare_topic("registry.version", _("Versions are registered, tagged or deleted"))
MOVED = declare_topic("registry.moved", _("Versions change their stage or alias"))
ASKED = declare_topic("promotion.asked", _("Requests wait for my decision"))
DECIDED = declare_topic("promotion.decided", _("Requests are decided on, run out or begin anew"))
COMMENTED = declare_topic("registry.comment", _("Comments on versions"))
OVERRIDDEN = declare_topic("registry.override", _("Somebody went past a policy"))

# Webhooks call what happens to prompts by names of their own.
_OF_PROMPTS = {
    "registered_model.created": "prompt.created",
    "model_version.created": "prompt_version.created",
    "model_version_tag.set": "prompt_version_tag.set",
    "model_version_tag.deleted": "prompt_version_tag.deleted",
    "model_version_alias.created": "prompt_alias.created",
    "model_version_alias.deleted": "prompt_alias.deleted",
}


def tell_of_model(
    actor: Actor,
    model: RegisteredModel,
    text: str,
    *,
    topic: Topic = MODEL,
    event: str = "",
    facts: Mapping[str, Any] | None = None,
    to: Collection[int] = (),
) -> None:
    """Tell of a model that was fetched with its team; `facts` beside its name."""
    said = {"name": model.name, **(facts or {})}
    _publish(actor, model, topic, text, model_url(model), event, said, to=to)


def tell_of_version(
    actor: Actor,
    version: ModelVersion,
    text: str,
    *,
    topic: Topic = VERSION,
    event: str = "",
    facts: Mapping[str, Any] | None = None,
    to: Collection[int] = (),
    mentioned: Collection[int] = (),
) -> None:
    """Tell of a version that was fetched with model and team; `facts` beside name, number and run."""
    said = {"name": version.model.name, "version": str(version.number), "run_id": version.run_id, **(facts or {})}
    url = version_url(version)
    _publish(actor, version.model, topic, text, url, event, said, to=to, mentioned=mentioned)


def tell_move(
    actor: Actor, version: ModelVersion, before: str, comment: str, request: PromotionRequest | None = None
) -> None:
    """That a version is in another stage now; `comment` is of who asked where there was a request."""
    asked = f", as {request.requester_name} asked" if request else ""
    text = f"{actor.username} moved {version} from {before} to {version.stage}{asked}{_said(comment)}"
    facts = {"from_stage": before, "to_stage": version.stage, "comment": comment}
    to = _people(version.owner_id)
    tell_of_version(actor, version, text, topic=MOVED, event="model_version.stage_changed", facts=facts, to=to)


def tell_alias(actor: Actor, version: ModelVersion, alias: str, reason: str) -> None:
    """That an alias points at a version."""
    text = f"{actor.username} let @{alias} point at {version}{_said(reason)}"
    facts = {"alias": alias, "comment": reason}
    tell_of_version(actor, version, text, topic=MOVED, event="model_version_alias.created", facts=facts)


def tell_no_alias(actor: Actor, model: RegisteredModel, alias: str, reason: str) -> None:
    """That an alias is gone."""
    text = f"{actor.username} removed @{alias} of {model.name}{_said(reason)}"
    tell_of_model(actor, model, text, topic=MOVED, event="model_version_alias.deleted", facts={"alias": alias})


def tell_asked(actor: Actor, request: PromotionRequest, deciders: Collection[int]) -> None:
    """That somebody asks: to who may decide."""
    text = f"{actor.username} asks that {entering(request)}{_said(request.comment)}"
    _of_request(actor, request, ASKED, text, "promotion_request.created", to=deciders)


def tell_approved(actor: Actor, request: PromotionRequest, comment: str, count: int, needed: int) -> None:
    """One more approval, which was not the last."""
    text = f"{actor.username} approved that {entering(request)} ({count} of {needed}){_said(comment)}"
    _of_request(actor, request, DECIDED, text, "", to=_people(request.requester_id))


def tell_closed(actor: Actor, request: PromotionRequest, text: str, event: str = "", comment: str = "") -> None:
    """That a request ended: to who asked; it is done in all inboxes."""
    to = _people(request.requester_id)
    _of_request(actor, request, DECIDED, text + _said(comment), event, to=to, closes=True)


def tell_restarted(actor: Actor, request: PromotionRequest, deciders: Collection[int]) -> None:
    """That a request begins anew: to who asked and who may decide now."""
    text = (
        f"What {request.slot} demands changed: the request that {entering(request)} begins anew, round {request.round}."
    )
    _of_request(actor, request, DECIDED, text, "", to=_people(request.requester_id), closes=True)
    _of_request(actor, request, ASKED, text, "", to=set(deciders) - _people(request.requester_id))


def tell_rival(actor: Actor, request: PromotionRequest, winner: ModelVersion) -> None:
    """That another version came into the slot that a request, which stays open, is about."""
    text = f"{winner} entered {request.slot}. Your request that {entering(request)} is still open."
    _of_request(actor, request, DECIDED, text, "", to=_people(request.requester_id))


def tell_comment(
    actor: Actor,
    version: ModelVersion,
    text: str,
    shown: str,
    *,
    to: Collection[int],
    mentioned: Collection[int],
) -> None:
    """That somebody commented; webhooks get the `text`, inboxes what is `shown` of it."""
    facts = {"comment": text}
    said = f"{actor.username} commented on {version}: {shown}"
    tell_of_version(
        actor, version, said, topic=COMMENTED, event="comment.created", facts=facts, to=to, mentioned=mentioned
    )


def tell_mention(actor: Actor, version: ModelVersion, shown: str, mentioned: Collection[int]) -> None:
    """That a changed comment mentions people whom it did not before."""
    said = f"{actor.username} mentioned you on {version}: {shown}"
    tell_of_version(actor, version, said, topic=COMMENTED, mentioned=mentioned)


def tell_override(actor: Actor, model: RegisteredModel, override: Override, admins: Collection[int]) -> None:
    """That somebody went past a policy: to administrators."""
    text = f"{actor.username} went past the policy of {model.name}: {override.text}{_said(override.reason)}"
    tell_of_model(actor, model, text, topic=OVERRIDDEN, to=admins)


def entering(request: PromotionRequest) -> str:
    """What is asked, as the end of a sentence."""
    verb = "go back to" if request.kind == "rollback" else "enter"
    return f"{request.version} {verb} {request.slot}"


def group_of(request: PromotionRequest) -> str:
    """The inbox lines that are done once the request is decided."""
    return f"promotion-request:{request.pk}"


def _of_request(
    actor: Actor,
    request: PromotionRequest,
    topic: Topic,
    text: str,
    event: str,
    *,
    to: Collection[int],
    closes: bool = False,
) -> None:
    version = request.version
    facts = {
        "name": version.model.name,
        "version": str(version.number),
        "run_id": version.run_id,
        "from_stage": request.from_stage,
        "to_stage": request.slot_name if request.slot.is_stage else "",
        "alias": "" if request.slot.is_stage else request.slot_name,
        "request_id": request.pk,
        "comment": request.comment,
    }
    group = group_of(request) if topic is ASKED or closes else ""
    _publish(actor, version.model, topic, text, request_url(request), event, facts, to=to, group=group, closes=closes)


def _publish(
    actor: Actor,
    model: RegisteredModel,
    topic: Topic,
    text: str,
    url: str,
    event: str,
    facts: Mapping[str, Any],
    *,
    to: Collection[int] = (),
    mentioned: Collection[int] = (),
    group: str = "",
    closes: bool = False,
) -> None:
    happening = Happening(
        topic=topic,
        team_id=model.team_id,
        team_name=model.team.name,
        kind=ObjectKind.REGISTERED_MODEL,
        object_id=model.pk,
        object_name=model.name,
        text=text,
        url=url,
        event=_OF_PROMPTS.get(event, event) if model.is_prompt else event,
        facts=facts,
        group=group,
        closes_group=closes,
    )
    publish(actor, happening=happening, to=to, mentioned=mentioned)


def _people(*ids: int | None) -> set[int]:
    return {pk for pk in ids if pk}


def _said(comment: str) -> str:
    return f": {comment}" if comment else "."
