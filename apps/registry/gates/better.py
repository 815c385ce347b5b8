from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.core.errors import InvalidInput
from apps.registry.gates.base import KEY_FIELD, Field, Gate, Params, Verdict, failed, passed, shown
from apps.registry.gates.docket import Case, Docket, Value
from apps.registry.gates.metric import evidence_of, missing_metric
from apps.registry.models import ModelVersion

Held = tuple[ModelVersion, Value]


class BetterGate(Gate):
    """A metric is better, by a margin, than that of the version that is in the slot now.

    That one is held to the value on which it was let in: nobody helps a successor by logging a worse one afterwards.
    """

    kind = "better"
    title = gettext_lazy("Better than what is there")
    help = gettext_lazy(
        "Compares with the version that is in the stage, or that the alias points at: with the value on which it was "
        "let in, else with that of its run. Passes when nothing is there."
    )
    fields = (
        KEY_FIELD,
        Field(
            "direction",
            gettext_lazy("Better is"),
            "choice",
            (("higher", gettext_lazy("higher")), ("lower", gettext_lazy("lower"))),
            "higher",
        ),
        Field(
            "margin", gettext_lazy("By at least"), "number", default="0", help=gettext_lazy("0: by anything at all.")
        ),
    )

    def check_params(self, params: Mapping[str, object]) -> Params:
        checked = super().check_params(params)
        if checked["margin"] < 0:
            raise InvalidInput("'margin' can't be negative.")
        return checked

    def describe(self, params: Params) -> str:
        words = {"key": params["key"], "margin": shown(params["margin"])}
        if params["direction"] == "higher":
            by_some, by_any = _("%(key)s higher by at least %(margin)s"), _("%(key)s higher")
        else:
            by_some, by_any = _("%(key)s lower by at least %(margin)s"), _("%(key)s lower")
        sentence = _("%(change)s than that of the version in place")
        return sentence % {"change": (by_some if params["margin"] else by_any) % words}

    def metric_keys(self, params: Params) -> Collection[str]:
        return (params["key"],)

    def looks_at_holders(self) -> bool:
        return True

    def judge(self, case: Case, params: Params, docket: Docket) -> Verdict:
        key, holders = params["key"], docket.holders(case)
        own = docket.metric(case.version, key)
        if not holders:
            kept = evidence_of(key, own) if own else {}
            return passed(_("Nothing is in %(slot)s to be better than") % {"slot": case.slot}, **kept)
        if own is None:
            return missing_metric(case, key, docket)
        held = [(holder, _held_value(holder, case, key, docket)) for holder in holders]
        incomparable = [holder for holder, value in held if value is None]
        if incomparable:
            return _nothing_to_compare(case, key, incomparable[0])
        return self._compared(params, own, [(holder, value) for holder, value in held if value])

    def _compared(self, params: Params, own: Value, held: list[Held]) -> Verdict:
        """With the best of those that are there."""
        sign = 1 if params["direction"] == "higher" else -1
        holder, best = max(held, key=lambda pair: _rank(pair[1], sign))
        text = _("%(key)s is %(value)s, that of version %(number)s is %(current)s") % {
            "key": params["key"],
            "value": shown(own.value),
            "number": holder.number,
            "current": shown(best.value),
        }
        current = {"current": {"version": holder.number, "value": best.value, "source": best.source}}
        outcome = passed if _is_better(own.value, best.value, sign, params["margin"]) else failed
        return outcome(text, {own.experiment, best.experiment}, **evidence_of(params["key"], own), **current)


def _held_value(holder: ModelVersion, case: Case, key: str, docket: Docket) -> Value | None:
    return docket.kept_metric(holder, case.slot, key) or docket.metric(holder, key)


def _rank(value: Value, sign: int) -> float:
    return float("-inf") if value.value is None else sign * value.value


def _is_better(own: float | None, other: float | None, sign: int, margin: float) -> bool:
    """In decimals as people write them, where 0.3 is better than 0.2 by 0.1. Anything is better than a NaN."""
    if own is None or other is None:
        return own is not None
    gain = sign * (Decimal(repr(own)) - Decimal(repr(other)))
    return gain > 0 and gain >= Decimal(repr(margin))


def _nothing_to_compare(case: Case, key: str, holder: ModelVersion) -> Verdict:
    sentence = _("Version %(number)s is in %(slot)s and has no metric '%(key)s' to compare with: it has to leave first")
    return failed(sentence % {"number": holder.number, "slot": case.slot, "key": key}, key=key)
