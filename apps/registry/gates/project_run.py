from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.registry.gates.base import Gate, Params, Verdict, pending
from apps.registry.gates.docket import Case, Docket


class ProjectRunGate(Gate):
    """A project's run is green. There are no projects on this server yet, so no policy can demand it."""

    kind = "project_run"
    title = gettext_lazy("Project run is green")
    help = gettext_lazy("Projects come later; until then let CI report a check.")
    is_offered = False

    def describe(self, params: Params) -> str:
        return _("its project run is green")

    def judge(self, case: Case, params: Params, docket: Docket) -> Verdict:
        return pending(_("This server has no projects yet"))
