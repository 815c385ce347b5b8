from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.registry.gates.base import Field, Gate, Params, Verdict, pending
from apps.registry.gates.docket import Case, Docket


class BuildGate(Gate):
    """The newest build of the version's files is green: they load in an environment of their own requirements."""

    kind = "build"
    title = gettext_lazy("Build is green")
    help = gettext_lazy(
        "A build loads the version in an environment of its own requirements, apart from the server, and scores its "
        "input example. Latency is the median that the model's own process measured."
    )
    asks_others = True
    reads_files = True
    fields = (
        Field("max_latency_ms", gettext_lazy("Latency at most, ms"), kind="number", required=False),
        Field("max_megabytes", gettext_lazy("Files at most, MB"), kind="number", required=False),
    )

    def describe(self, params: Params) -> str:
        words = [_("its build is green")]
        if params["max_latency_ms"] != "":
            words.append(_("its example takes at most %(max_latency_ms).6g ms") % params)
        if params["max_megabytes"] != "":
            words.append(_("its files take at most %(max_megabytes).6g MB") % params)
        return ", ".join(words)

    def judge(self, case: Case, params: Params, docket: Docket) -> Verdict:
        found = docket.verdict(self.kind, case.version, params)
        return found or pending(_("Nothing on this server builds models"))
