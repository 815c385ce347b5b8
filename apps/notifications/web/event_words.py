"""What the events of webhooks are called on pages, in the groups that the form shows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.notifications.dialects import DIALECTS

_TITLES: Mapping[str, str | Promise] = {
    "registered_model.created": _("A model is registered"),
    "model_version.created": _("A version is registered"),
    "model_version_tag.set": _("A tag of a version is set"),
    "model_version_tag.deleted": _("A tag of a version is deleted"),
    "model_version_alias.created": _("An alias points to a version"),
    "model_version_alias.deleted": _("An alias is deleted"),
    "model_version.stage_changed": _("A version changes its stage"),
    "promotion_request.created": _("A promotion is asked for"),
    "promotion_request.approved": _("A promotion is approved"),
    "promotion_request.rejected": _("A promotion is rejected"),
    "promotion_request.cancelled": _("A request is taken back"),
    "promotion_request.expired": _("A request runs out"),
    "comment.created": _("Somebody comments"),
    "project_run.ended": _("A project run ends"),
    "prompt.created": _("A prompt is registered"),
    "prompt_version.created": _("A version of a prompt is registered"),
    "prompt_tag.set": _("A tag of a prompt is set"),
    "prompt_tag.deleted": _("A tag of a prompt is deleted"),
    "prompt_version_tag.set": _("A tag of a prompt's version is set"),
    "prompt_version_tag.deleted": _("A tag of a prompt's version is deleted"),
    "prompt_alias.created": _("An alias points to a prompt's version"),
    "prompt_alias.deleted": _("An alias of a prompt is deleted"),
    "budget_policy.exceeded": _("A budget is exceeded (never happens here)"),
    "REGISTERED_MODEL_CREATED": _("A model is registered"),
    "MODEL_VERSION_CREATED": _("A version is registered"),
    "MODEL_VERSION_TAG_SET": _("A tag of a version is set"),
    "MODEL_VERSION_TRANSITIONED_STAGE": _("A version changes its stage"),
    "MODEL_VERSION_TRANSITIONED_TO_STAGING": _("A version enters Staging"),
    "MODEL_VERSION_TRANSITIONED_TO_PRODUCTION": _("A version enters Production"),
    "MODEL_VERSION_TRANSITIONED_TO_ARCHIVED": _("A version is archived"),
    "TRANSITION_REQUEST_CREATED": _("A promotion is asked for"),
    "TRANSITION_REQUEST_TO_STAGING_CREATED": _("A promotion to Staging is asked for"),
    "TRANSITION_REQUEST_TO_PRODUCTION_CREATED": _("A promotion to Production is asked for"),
    "TRANSITION_REQUEST_TO_ARCHIVED_CREATED": _("Archiving is asked for"),
    "COMMENT_CREATED": _("Somebody comments"),
}


@dataclass(frozen=True, slots=True)
class EventWord:
    """A word that webhooks of some dialects may ask for; `dialects` are their codes, separated by blanks."""

    word: str
    title: str
    dialects: str


def event_words() -> Iterator[EventWord]:
    """All words of all dialects, each once, in the order of the page."""
    takers: dict[str, list[str]] = {}
    for code, dialect in DIALECTS.items():
        for word in dialect.words():
            takers.setdefault(word, []).append(code)
    for word in in_order(takers):
        yield EventWord(word, title_of(word), " ".join(takers[word]))


def title_of(word: str) -> str:
    """What an event is called on pages."""
    return str(_TITLES.get(word, word))


def in_order(words: Iterable[str]) -> list[str]:
    """Words in the order of the page; what it doesn't know comes last."""
    order = {word: place for place, word in enumerate(_TITLES)}
    return sorted(words, key=lambda word: (order.get(word, len(order)), word))
