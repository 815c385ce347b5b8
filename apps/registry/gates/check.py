from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.registry.gates.base import Field, Gate, Params, Verdict, failed, passed, pending
from apps.registry.gates.docket import Case, Docket
from apps.registry.models import CheckState


class CheckGate(Gate):
    """A job outside (CI) reported that a check passed, under the account whose word counts."""

    kind = "check"
    title = gettext_lazy("Check outside passed")
    help = gettext_lazy("What a job of CI reports through the API. The word of one account counts, and no other's.")
    fields = (
        Field("name", gettext_lazy("Check"), max_length=100),
        Field("reporter", gettext_lazy("Reported by"), max_length=150, help=gettext_lazy("The name of the account.")),
    )

    def describe(self, params: Params) -> str:
        return _("check %(name)s reported as passed by %(reporter)s") % params

    def judge(self, case: Case, params: Params, docket: Docket) -> Verdict:
        by_whom = [check for check in docket.checks(case.version) if check.name == params["name"]]
        found = next((c for c in by_whom if c.reporter and c.reporter.username == params["reporter"]), None)
        if found is None or found.state == CheckState.PENDING:
            return pending(_("Waits for %(reporter)s to report the check %(name)s") % params, **params)
        evidence = {**params, "state": found.state, "url": found.url, "updated_ms": found.updated_ms}
        words = {**params, "text": f": {found.text}" if found.text else ""}
        if found.state == CheckState.FAILED:
            return failed(_("%(reporter)s reported the check %(name)s as failed%(text)s") % words, **evidence)
        return passed(_("%(reporter)s reported the check %(name)s as passed%(text)s") % words, **evidence)
