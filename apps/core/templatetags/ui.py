"""The small words of the pages: icons, times, numbers, pills. `templates/components/README.md` shows each in use."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from django import template
from django.http import HttpRequest
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from apps.core import formatting, markdown

register = template.Library()

_DECORATION = SafeString('aria-hidden="true"')
_CURRENT = SafeString('aria-current="page"')
_TONES = {
    "RUNNING": "live",
    "SCHEDULED": "",
    "FINISHED": "ok",
    "FAILED": "bad",
    "KILLED": "warn",
    "READY": "ok",
    "PENDING": "live",
    "UPLOAD_FAILED": "bad",
    "ACTIVE": "ok",
    "REVOKED": "bad",
    "EXPIRED": "warn",
    "DELETED": "warn",
}


def _status_name(status: str) -> str:
    names = {
        "RUNNING": _("Running"),
        "SCHEDULED": _("Scheduled"),
        "FINISHED": _("Finished"),
        "FAILED": _("Failed"),
        "KILLED": _("Killed"),
        "READY": _("Ready"),
        "PENDING": _("Pending"),
        "UPLOAD_FAILED": _("Upload failed"),
        "UNSPECIFIED": _("Unknown"),
        "STATUS_UNSPECIFIED": _("Unknown"),
        "ACTIVE": _("Active"),
        "REVOKED": _("Revoked"),
        "EXPIRED": _("Expired"),
        "DELETED": _("Deleted"),
    }
    return names.get(status, status.replace("_", " ").capitalize())


@register.simple_tag
def icon(name: str, label: str = "", size: str = "") -> SafeString:
    """A symbol of `static/img/icons.svg`. Without a `label` it is decoration and hidden from screen readers."""
    said = format_html('role="img" aria-label="{}"', label) if label else _DECORATION
    classes = f"icon icon-{size}" if size else "icon"
    return format_html('<svg class="{}" {}><use href="{}#{}"></use></svg>', classes, said, _sprite(), name)


def _sprite() -> str:
    return static("img/icons.svg")


@register.simple_tag
def when(value: datetime | int | None, empty: str = "-") -> SafeString:
    """A moment (datetime, or milliseconds since the epoch) as `3 min ago`, with the exact time on hover."""
    moment = formatting.as_moment(value)
    if moment is None:
        return format_html('<span class="faint">{}</span>', empty)
    exact = moment.strftime("%Y-%m-%d %H:%M:%S UTC")
    now = formatting.nearly_now(moment)
    iso = moment.isoformat()
    return format_html(
        '<time class="when nowrap" datetime="{}" title="{}" data-now="{}">{}</time>',
        iso,
        exact,
        now,
        formatting.ago(moment),
    )


@register.simple_tag
def duration(start: int | None = None, end: int | None = None, *, ms: int | float | None = None) -> str:
    """The time between two moments in milliseconds, or `ms=` itself, in words."""
    if ms is None and start is not None and end is not None:
        ms = end - start
    return formatting.duration(ms)


@register.simple_tag
def metric_value(value: float | str | None, is_nan: bool = False) -> SafeString:
    """A number in five significant digits, with the whole of it on hover. `is_nan` as `Series` and `Point` carry it."""
    if value is None:
        return format_html('<span class="faint">{}</span>', "-")
    number = float("nan") if is_nan else float(value)
    return format_html(
        '<span class="num" title="{}">{}</span>', "NaN" if is_nan else repr(value), formatting.short_number(number)
    )


@register.filter(name="bytes")
def bytes_(size: int | None) -> str:
    """A size in bytes as `1.4 MB`."""
    return formatting.file_size(size)


@register.filter
def count(value: int | None) -> str:
    """`12,345`."""
    return formatting.count(value)


@register.filter(name="markdown")
def markdown_(text: str | None) -> SafeString:
    """Markdown that people wrote, as safe HTML; put it into an element of class `prose`."""
    return markdown.to_html(text or "")


@register.filter
def plain(text: str | None) -> str:
    """The words of Markdown that people wrote, on one line."""
    return markdown.to_text(text or "")


@register.simple_tag
def pill(status: str, label: str = "", tone: str | None = None) -> SafeString:
    """A status as a pill. Known statuses have their tone; else give `tone`: ok, bad, warn, live or nothing."""
    name = str(status).removeprefix("LOGGED_MODEL_").upper()
    chosen = _TONES.get(name, "") if tone is None else tone
    classes = f"pill pill-{chosen}" if chosen else "pill"
    return format_html('<span class="{}">{}</span>', classes, label or _status_name(name))


@register.simple_tag
def avatar(name: str) -> SafeString:
    """The first letters of a name in a circle, in one of a few hues that the name chooses."""
    hue = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=2).digest()) % 360
    letters = "".join(word[0] for word in name.replace(".", " ").replace("-", " ").split()[:2]) or "?"
    return format_html('<span class="avatar" style="--hue: {}" aria-hidden="true">{}</span>', hue, letters)


@register.simple_tag(takes_context=True)
def current(context: dict[str, Any], *prefixes: str, exact: bool = False) -> SafeString:
    """`aria-current="page"` where the request's path is one of `prefixes` or, unless `exact`, below it."""
    request: HttpRequest | None = context.get("request")
    path = request.path if request else ""
    here = path in prefixes if exact else path.startswith(prefixes)
    return _CURRENT if here else SafeString()


@register.filter
def get(mapping: Any, key: Any) -> Any:
    """The value of `key` in a mapping; None where it is absent."""
    return mapping.get(key) if mapping else None
