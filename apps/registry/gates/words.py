"""Gates about what people wrote: tags and descriptions."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from apps.registry.gates.base import Field, Gate, Params, Verdict, failed, passed
from apps.registry.gates.docket import Case, Docket

MAX_SHOWN = 200


class TagGate(Gate):
    """A tag of the version, or of its run, has a value."""

    kind = "tag"
    title = gettext_lazy("Tag has a value")
    help = gettext_lazy("Whoever may edit the version (or its run) may set its tags: this is a reminder, no lock.")
    fields = (
        Field("key", gettext_lazy("Tag")),
        Field("value", gettext_lazy("Value"), max_length=1000),
        Field(
            "where",
            gettext_lazy("Of"),
            "choice",
            (("version", gettext_lazy("the version")), ("run", gettext_lazy("its source run"))),
            "version",
        ),
    )

    def describe(self, params: Params) -> str:
        sentence = (
            _("tag %(key)s of the run is “%(value)s”") if params["where"] == "run" else _("tag %(key)s is “%(value)s”")
        )
        return sentence % params

    def looks_at_run(self, params: Params) -> bool:
        return bool(params["where"] == "run")

    def judge(self, case: Case, params: Params, docket: Docket) -> Verdict:
        run = docket.run(case.version) if params["where"] == "run" else None
        if params["where"] == "run" and run is None:
            return failed(_("The version comes from no run of this server, so it has no tag of one"))
        value = docket.run_tag(run, params["key"]) if run else docket.tag(case.version, params["key"])
        experiments = (run.experiment_id,) if run else ()
        if value is None:
            return failed(_("There is no tag '%(key)s'") % params, experiments, key=params["key"])
        shown = {"key": params["key"], "value": value[:MAX_SHOWN]}
        outcome = passed if value == params["value"] else failed
        return outcome(_("The tag %(key)s is “%(value)s”") % shown, experiments, **shown)


class DescriptionGate(Gate):
    """The version says in words what it is."""

    kind = "description"
    title = gettext_lazy("Description is there")
    help = gettext_lazy("The version's description has at least so many characters.")
    fields = (Field("characters", gettext_lazy("Characters, at least"), "integer", default="1", least=1),)

    def describe(self, params: Params) -> str:
        one, many = "has a description", "has a description of at least %(characters)s characters"
        return ngettext(one, many, params["characters"]) % params

    def judge(self, case: Case, params: Params, docket: Docket) -> Verdict:
        length = len(docket.description(case.version).strip())
        text = ngettext("The description has %(n)s character", "The description has %(n)s characters", length)
        text %= {"n": length}
        return (passed if length >= params["characters"] else failed)(text, length=length)
