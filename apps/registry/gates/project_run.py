from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.registry.gates.base import Field, Gate, Params, Verdict, pending
from apps.registry.gates.docket import Case, Docket

THIS, ANY = "this", "any"


class ProjectRunGate(Gate):
    """The newest ended run of a project is green: one about this version, or any."""

    kind = "project_run"
    title = gettext_lazy("Project run is green")
    help = gettext_lazy(
        "The newest run that ended, of the project's own files. It is about a version where it made it, or where its "
        "parameters name it: model and version, or model_uri."
    )
    asks_others = True
    fields = (
        Field(
            "project", gettext_lazy("Project"), max_length=165, help=gettext_lazy("Its name, or team/name of another.")
        ),
        Field("entry_point", gettext_lazy("Entry point"), required=False),
        Field(
            "about",
            gettext_lazy("Which runs count"),
            kind="choice",
            choices=((THIS, gettext_lazy("about this version")), (ANY, gettext_lazy("any of the project"))),
            default=THIS,
        ),
        Field("max_age_hours", gettext_lazy("Not older than hours"), kind="integer", required=False, least=1),
    )

    def describe(self, params: Params) -> str:
        text = _("the newest run of %(project)s is green") % params
        if params["about"] == THIS:
            text = _("the newest run of %(project)s about this version is green") % params
        text += _(", entry point %(entry_point)s") % params if params["entry_point"] else ""
        return text + (_(", at most %(max_age_hours)s h old") % params if params["max_age_hours"] else "")

    def judge(self, case: Case, params: Params, docket: Docket) -> Verdict:
        found = docket.verdict(self.kind, case.version, params)
        return found or pending(_("Nothing on this server runs projects"))

    def looks_at_run(self, params: Params) -> bool:
        """A run grows old by itself."""
        return bool(params["max_age_hours"])
