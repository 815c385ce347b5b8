from __future__ import annotations

import operator
from collections.abc import Collection

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.registry.gates.base import KEY_FIELD, Field, Gate, Params, Verdict, failed, passed, shown
from apps.registry.gates.docket import Case, Docket, Value

_COMPARISONS = {
    ">=": operator.ge,
    ">": operator.gt,
    "<=": operator.le,
    "<": operator.lt,
}
_SIGNS = {">=": "≥", "<=": "≤"}


class MetricGate(Gate):
    """A metric of the source run reaches a threshold. NaN and infinities reach none."""

    kind = "metric"
    title = gettext_lazy("Metric reaches a value")
    help = gettext_lazy("The latest value that the version's own run logged; what the run says of this model first.")
    fields = (
        KEY_FIELD,
        Field(
            "operator", gettext_lazy("Has to be"), "choice", tuple((c, _SIGNS.get(c, c)) for c in _COMPARISONS), ">="
        ),
        Field("value", gettext_lazy("Value"), "number"),
    )

    def describe(self, params: Params) -> str:
        return f"{params['key']} {_SIGNS.get(params['operator'], params['operator'])} {shown(params['value'])}"

    def metric_keys(self, params: Params) -> Collection[str]:
        return (params["key"],)

    def judge(self, case: Case, params: Params, docket: Docket) -> Verdict:
        found = docket.metric(case.version, params["key"])
        if found is None:
            return missing_metric(case, params["key"], docket)
        reaches = found.value is not None and _COMPARISONS[params["operator"]](found.value, params["value"])
        text = _("%(key)s is %(value)s") % {"key": params["key"], "value": shown(found.value)}
        return (passed if reaches else failed)(text, (found.experiment,), **evidence_of(params["key"], found))


def evidence_of(key: str, found: Value) -> Params:
    """A metric as evidence keeps it; a later `better` gate reads it."""
    return {
        "key": key,
        "value": found.value,
        "source": found.source,
        "run_id": found.run_id,
        "experiment": found.experiment,
    }


def missing_metric(case: Case, key: str, docket: Docket) -> Verdict:
    """There is no such metric, or no run that could have one."""
    if docket.run(case.version) is None:
        return failed(_("The version comes from no run of this server, so it has no metric '%(key)s'") % {"key": key})
    return failed(_("The source run has no metric '%(key)s'") % {"key": key}, key=key)
