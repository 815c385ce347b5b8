"""How deployments are shown: their states, rates and latencies, and where things are."""

from __future__ import annotations

from collections.abc import Sequence

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from apps.core.templatetags.ui import pill
from apps.deployments import addresses, state_words
from apps.deployments.configuration import ScoringServer, TargetKind
from apps.deployments.models import Deployment, InstanceState
from apps.deployments.state_words import StateWord

register = template.Library()

_TONES: dict[str, str] = {
    StateWord.PENDING: "",
    StateWord.BUILDING: "live",
    StateWord.STARTING: "live",
    StateWord.READY: "ok",
    StateWord.DEGRADED: "warn",
    StateWord.UNHEALTHY: "bad",
    StateWord.FAILED: "bad",
    StateWord.STOPPED: "",
    InstanceState.DRAINING: "warn",
    InstanceState.ENDED: "",
}
_SPARK_WIDTH, _SPARK_HEIGHT = 88, 24


@register.simple_tag
def state_pill(state: str) -> SafeString:
    """The state of a deployment, a revision or an instance."""
    return pill(state, label=state_words.state_name(state), tone=_TONES[state])


@register.filter
def state_name(state: str) -> str:
    """The same as a word."""
    return state_words.state_name(state)


@register.filter
def deployment_url(deployment: Deployment) -> str:
    """The page of a deployment."""
    return addresses.deployment_url(deployment)


@register.filter
def target_name(target: str) -> str:
    """A target as people call it."""
    names = {TargetKind.PROCESS: _("process"), TargetKind.DOCKER: "Docker", TargetKind.KUBERNETES: "Kubernetes"}
    return names.get(TargetKind(target), target) if target in list(TargetKind) else target


@register.filter
def server_name(server: str) -> str:
    """A scoring server as people call it."""
    return "MLflow" if server == ScoringServer.MLFLOW else "Slipway"


@register.filter
def latency(milliseconds: float | None) -> str:
    """`0.8 ms`, `42 ms`, `1.3 s`; a dash where nothing was counted."""
    if milliseconds is None:
        return "-"
    if milliseconds >= 1000:
        return f"{milliseconds / 1000:.1f} s"
    return f"{milliseconds:.1f} ms" if milliseconds < 10 else f"{milliseconds:.0f} ms"


@register.filter
def rate(a_second: float) -> str:
    """Requests a second: `0.02`, `3.4`, `210`."""
    if not a_second:
        return "0"
    return f"{a_second:.2f}" if a_second < 1 else f"{a_second:.1f}" if a_second < 100 else f"{a_second:.0f}"


@register.filter
def percent(share: float) -> str:
    """`0 %`, `0.4 %`, `12 %`."""
    if not share:
        return "0 %"
    return "< 0.1 %" if share < 0.1 else f"{share:.1f} %" if share < 10 else f"{share:.0f} %"


@register.simple_tag
def sparkline(values: Sequence[int]) -> SafeString:
    """A small line of some counts; decoration beside the number that it shows the course of."""
    top = max(values, default=0)
    if not top:
        return SafeString("")
    step = _SPARK_WIDTH / max(1, len(values) - 1)
    points = " ".join(
        f"{place * step:.1f},{_SPARK_HEIGHT - 2 - (_SPARK_HEIGHT - 4) * value / top:.1f}"
        for place, value in enumerate(values)
    )
    return format_html(
        '<svg class="spark" viewBox="0 0 {0} {1}" width="{0}" height="{1}" aria-hidden="true">'
        '<polyline points="{2}"></polyline></svg>',
        _SPARK_WIDTH,
        _SPARK_HEIGHT,
        points,
    )
