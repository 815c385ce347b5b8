"""How an event reads: one sentence after the actor's name, and what was different afterwards."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from apps.audit.codes import known_codes
from apps.audit.links import page_of
from apps.audit.models import Event
from apps.core import markdown

PLACES = ("object", "team", "note")
# What a feed leaves to the log: what names rows and files, and what began so; the sentence says the stage.
_UNTOLD = frozenset({"by", "kind", "name", "override", "request", "round", "run_id", "source", "state"})
# Markdown of people.
_WRITTEN = frozenset({"comment", "description", "note", "reason", "review"})


@dataclass(frozen=True, slots=True)
class Change:
    """One field, before and after, as text; `None` where it was not there."""

    name: str
    before: str | None
    after: str | None


def sentence(event: Event) -> SafeString:
    """HTML: what was done, the object a link where it has a page. A code of a later version reads as itself."""
    code = known_codes().get(event.code)
    if code is None:
        return format_html("{} {}", event.code, _linked(event))
    text = str(conditional_escape(_(code.sentence)))
    shown = {"object": _linked(event), "team": conditional_escape(event.team_name), "note": _noted(event)}
    return mark_safe(text.format(**shown))  # noqa: S308 - each part was escaped


def plain_sentence(event: Event) -> str:
    """The same as text, in English: for exports."""
    code = known_codes().get(event.code)
    if code is None:
        return f"{event.code} {event.object_name}".strip()
    return code.sentence.format(object=event.object_name, team=event.team_name, note=event.note)


def changes(event: Event) -> list[Change]:
    """The fields that the event names, in alphabetical order."""
    before, after = event.before or {}, event.after or {}
    names = sorted({*before, *after})
    return [Change(name, _shown(before, name), _shown(after, name)) for name in names]


def told(event: Event) -> list[Change]:
    """The same for a feed: what a reader of the object's page wants to know, in words and without what is empty."""
    before, after = event.before or {}, event.after or {}
    names = [name for name in sorted({*before, *after}) if _is_told(name, before, after)]
    rows = [Change(name.replace("_", " "), _worded(before, name), _worded(after, name)) for name in names]
    return [row for row in rows if row.before != row.after]


def _is_told(name: str, before: dict[str, Any], after: dict[str, Any]) -> bool:
    if name in _UNTOLD or name == "stage":
        return name in before and name != "stage"
    # A comment is its words, or the number of a row.
    return not (name == "comment" and isinstance(after.get(name), int))


def _worded(values: dict[str, Any], name: str) -> str | None:
    value = values.get(name)
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return "; ".join(each if isinstance(each, str) else _as_json(each) for each in value) or None
    if isinstance(value, dict):
        shown = (f"{key}: {each}" for key, each in value.items() if "mlflow." not in key and key[:1] != "_")
        return ", ".join(shown) or None
    if value in (None, ""):
        return None
    return markdown.to_text(str(value)) if name in _WRITTEN else _shown(values, name)


def _linked(event: Event) -> SafeString:
    name = event.object_name or event.object_id
    if path := page_of(event.object_kind, event.object_id, event.object_name):
        return format_html('<a href="{}">{}</a>', path, name)
    return format_html("<b>{}</b>", name)


def _noted(event: Event) -> str:
    return str(conditional_escape(event.note))


def _shown(values: dict[str, Any], name: str) -> str | None:
    if name not in values:
        return None
    value = values[name]
    if value is None or value == "":
        return _("empty")
    return value if isinstance(value, str) else _as_json(value)


def _as_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
