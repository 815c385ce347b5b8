"""The small words of the pages about approvals."""

from __future__ import annotations

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from apps.core import formatting
from apps.core.templatetags.ui import icon, pill
from apps.registry.models import GateState, RequestState

register = template.Library()

_TONES = {RequestState.OPEN: "live", RequestState.APPLIED: "ok", RequestState.REJECTED: "bad"}
_MARKS = {GateState.PASSED: ("check", "ok"), GateState.FAILED: ("x", "bad"), GateState.PENDING: ("clock", "warn")}


@register.simple_tag
def request_state(state: str) -> SafeString:
    """The state of a promotion request as a pill."""
    names = {
        RequestState.OPEN: _("Open"),
        RequestState.APPLIED: _("Approved"),
        RequestState.REJECTED: _("Rejected"),
        RequestState.CANCELLED: _("Taken back"),
        RequestState.EXPIRED: _("Ran out"),
        RequestState.SUPERSEDED: _("Overtaken"),
    }
    known = RequestState(state)
    return pill(state, label=names[known], tone=_TONES.get(known, "warn"))


@register.simple_tag
def gate_mark(state: str) -> SafeString:
    """The state of a gate as a symbol in a circle, with its word for who doesn't see it."""
    words = {GateState.PASSED: _("passed"), GateState.FAILED: _("failed"), GateState.PENDING: _("pending")}
    known = GateState(state)
    symbol, tone = _MARKS[known]
    return format_html('<span class="gate-mark gate-{}">{}</span>', tone, icon(symbol, label=words[known], size="s"))


@register.simple_tag
def exactly(moment_ms: int) -> SafeString:
    """A moment in milliseconds as date and time in UTC: what a history is read for."""
    moment = formatting.as_moment(moment_ms)
    if moment is None:
        return format_html('<span class="faint">-</span>')
    return format_html('<time datetime="{}">{}</time>', moment.isoformat(), moment.strftime("%Y-%m-%d %H:%M:%S"))
