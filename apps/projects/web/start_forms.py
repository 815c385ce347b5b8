"""The form that starts a run: its fields follow from the entry point that is chosen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from django import forms
from django.forms import BoundField
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.core.actor import Actor
from apps.core.errors import InvalidInput
from apps.core.pairs import PairsField
from apps.projects.asking.checking import command_for, entry_of
from apps.projects.asking.submission import HIGHEST, LOWEST, MAX_RETRIES, USUAL, Submission
from apps.projects.mlproject import EntryPoint
from apps.projects.models import Project, ProjectRun, SourceKind
from apps.projects.web.forms import (
    LimitsForm,
    experiment_choices,
    limit_initial,
    limits_of,
    queue_choices,
    secret_choices,
)
from apps.projects.web.parameter_fields import field_of
from apps.runtime.limits import AMOUNTS, Limits

PARAM = "param."
# What a submission takes as the form has it.
_PLAIN = ("queue", "priority", "gpus", "retries", "retries_failures", "backoff_s")


@dataclass(frozen=True, slots=True)
class Beginning:
    """What a start form begins with: the project's defaults, or what another run was asked for."""

    project: Project
    again: ProjectRun | None = None
    entry_point: str = ""

    @property
    def entry_name(self) -> str:
        """The entry point that is shown first."""
        return self.entry_point or (self.again.entry_point if self.again else "")

    def initial(self) -> dict[str, Any]:
        """Values by field."""
        project, again = self.project, self.again
        said: dict[str, Any] = {
            "queue": again.queue if again else project.queue,
            "priority": again.priority if again else USUAL,
            "env_vars": _own_variables(project, again),
            "secrets": again.secrets if again else project.secrets,
            "source_version": again.source_version if again else project.source_version,
            **limit_initial(again.limits if again else {}),
        }
        if again is not None:
            said |= {name: getattr(again, name) for name in ("gpus", "retries", "retries_failures", "backoff_s")}
            said |= {"experiment": str(again.experiment_id or ""), "same_files": True}
        return said


class StartForm(LimitsForm):
    """One field for each declared parameter, rows for others, and what the run may take."""

    entry_point = forms.ChoiceField(label=gettext_lazy("Entry point"))
    extra = PairsField(
        label=gettext_lazy("Other parameters"),
        help_text=gettext_lazy("They are appended to the command as --name value."),
    )
    run_name = forms.CharField(label=gettext_lazy("Name of the run"), max_length=250, required=False)
    experiment = forms.ChoiceField(label=gettext_lazy("Experiment"), required=False)
    new_experiment = forms.CharField(label=gettext_lazy("Or a new experiment named"), max_length=250, required=False)
    source_version = forms.CharField(
        label=gettext_lazy("Branch, tag or commit"),
        max_length=250,
        required=False,
        widget=forms.TextInput({"class": "input-mono"}),
    )
    same_files = forms.BooleanField(label=gettext_lazy("The files of the other run"), required=False)
    env_vars = PairsField(
        label=gettext_lazy("Environment variables"),
        help_text=gettext_lazy("Everybody who sees the run sees them: use secrets for keys."),
    )
    secrets = forms.MultipleChoiceField(
        label=gettext_lazy("Secrets"), required=False, widget=forms.CheckboxSelectMultiple
    )
    queue = forms.ChoiceField(label=gettext_lazy("Queue"))
    priority = forms.IntegerField(
        label=gettext_lazy("Priority"),
        min_value=LOWEST,
        max_value=HIGHEST,
        initial=USUAL,
        help_text=gettext_lazy("0 to 100; higher goes first."),
    )
    gpus = forms.IntegerField(label=gettext_lazy("GPUs"), min_value=0, max_value=64, initial=0)
    retries = forms.IntegerField(
        label=gettext_lazy("Tries again"),
        min_value=0,
        max_value=MAX_RETRIES,
        initial=0,
        help_text=gettext_lazy("After its worker was lost."),
    )
    backoff_s = forms.IntegerField(
        label=gettext_lazy("Rest before, seconds"), min_value=0, max_value=86_400, initial=10
    )
    retries_failures = forms.BooleanField(label=gettext_lazy("Also after it failed"), required=False)

    def __init__(self, data: Any = None, *, actor: Actor, begin: Beginning) -> None:
        super().__init__(data, initial=begin.initial())
        self.begin = begin
        self._offer_choices(actor)
        wanted = (data or {}).get("entry_point") or begin.entry_name
        self.entry, self.problem = _entry(begin.project, wanted)
        self._offer_entry_points(wanted)
        self._add_parameters()
        self._drop_what_has_no_meaning()
        self._show_what_the_project_says()

    @property
    def parameter_fields(self) -> list[BoundField]:
        """Those of declared parameters, in their order."""
        return [self[name] for name in self.fields if name.startswith(PARAM)]

    @property
    def command(self) -> str:
        """The command with the values as they are now; empty where there is none yet."""
        return self._command_or_problem()[0]

    @property
    def command_problem(self) -> str:
        """Why there is no command with the values as they are now; empty where there is one."""
        return self._command_or_problem()[1]

    def _command_or_problem(self) -> tuple[str, str]:
        if self.entry is None:
            return "", ""
        missing = [one.label for one in self.parameter_fields if one.field.required and one.value() in (None, "")]
        if missing:
            return "", ""
        try:
            return command_for(self.entry, self._values_now()), ""
        except InvalidInput as error:
            return "", error.message

    def submission(self) -> Submission:
        """What the run is asked for."""
        given = self.cleaned_data
        plain = {name: given[name] for name in _PLAIN}
        return Submission(
            entry_point=given["entry_point"],
            params=self._params(),
            env_vars=given["env_vars"],
            secrets=given.get("secrets", []),
            limits=self._limits(),
            run_name=given["run_name"].strip(),
            source_version=self._version(),
            **plain,
        )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if given.get("experiment") and given.get("new_experiment"):
            self.add_error("new_experiment", _("Choose an experiment, or name a new one."))
        if self.problem:
            self.add_error("entry_point", self.problem)
        if self.entry is not None and not self.errors:
            try:
                command_for(self.entry, self._params())
            except InvalidInput as error:
                self.add_error(None, error.message)
        return given

    def _params(self) -> dict[str, str]:
        """Declared values that were given, and the others. An empty one stands for the default."""
        given = self.cleaned_data
        declared = {
            name.removeprefix(PARAM): value for name, value in given.items() if name.startswith(PARAM) and value != ""
        }
        extra: dict[str, str] = given.get("extra", {})
        return declared | extra

    def _values_now(self) -> dict[str, str]:
        """The values before they are checked, for the command that is shown."""
        found = {}
        for field in self.parameter_fields:
            value = field.value()
            if value not in (None, ""):
                found[field.name.removeprefix(PARAM)] = str(value)
        rows = self["extra"].value() or []
        pairs = rows.items() if isinstance(rows, Mapping) else rows
        return found | {name.strip(): value for name, value in pairs if name.strip()}

    def _limits(self) -> Limits:
        return limits_of(self.cleaned_data)

    def _version(self) -> str:
        again = self.begin.again
        if again is not None and self.cleaned_data.get("same_files") and again.commit:
            return again.commit
        version: str = self.cleaned_data.get("source_version", "").strip()
        return version

    def _offer_choices(self, actor: Actor) -> None:
        project = self.begin.project
        self._choices("experiment", experiment_choices(actor, project))
        self._choices("queue", queue_choices())
        secrets = secret_choices(actor, project.team)
        self._choices("secrets", secrets)
        if not secrets:
            del self.fields["secrets"]

    def _choices(self, name: str, choices: list[tuple[str, Any]]) -> None:
        cast("forms.ChoiceField", self.fields[name]).choices = choices

    def _offer_entry_points(self, wanted: str) -> None:
        """Declared ones, then scripts that nobody declared. Where the project can't be read, whatever is named."""
        document = self.begin.project.document
        if document is None:
            self.fields["entry_point"] = forms.CharField(
                label=gettext_lazy("Entry point"),
                max_length=250,
                required=False,
                initial=wanted,
                help_text=gettext_lazy("Its name, or a .py or .sh file. Without one, main or the only one."),
            )
            return
        declared = [entry["name"] for entry in document["entry_points"]]
        scripts = [name for name in document["scripts"] if name not in declared]
        known = [(name, name) for name in declared]
        others = [(_("Scripts"), [(name, name) for name in scripts])] if scripts else []
        unknown = [(wanted, wanted)] if wanted and wanted not in (*declared, *scripts) else []
        self._choices("entry_point", cast("list[tuple[str, Any]]", [*known, *unknown, *others]))
        self.initial["entry_point"] = self.entry.name if self.entry else wanted

    def _add_parameters(self) -> None:
        again = self.begin.again
        is_same = again is not None and self.entry is not None and again.entry_point in ("", self.entry.name)
        before = again.params if again is not None and is_same else {}
        declared = self.entry.parameters if self.entry else {}
        for parameter in declared.values():
            self.fields[PARAM + parameter.name] = field_of(parameter)
            if parameter.name in before:
                self.initial[PARAM + parameter.name] = before[parameter.name]
        self.initial["extra"] = {name: value for name, value in before.items() if name not in declared}

    def _show_what_the_project_says(self) -> None:
        """What is left empty is as the project has it."""
        project = self.begin.project
        for name in AMOUNTS:
            if project.limits.get(name):
                self.fields[name].widget.attrs["placeholder"] = project.limits[name]
        if project.limits.get("network") is False:
            self.initial["no_network"] = self.fields["no_network"].disabled = True
        if project.env_vars:
            names = ", ".join(project.env_vars)
            said = _("Besides %(names)s of the project, which can be set anew here.") % {"names": names}
            self.fields["env_vars"].help_text = f"{said} {self.fields['env_vars'].help_text}"

    def _drop_what_has_no_meaning(self) -> None:
        project, again = self.begin.project, self.begin.again
        if project.source_kind != SourceKind.GIT:
            del self.fields["source_version"]
        has_files = again is not None and (again.commit if again.source_kind == SourceKind.GIT else again.archive_id)
        if not has_files:
            del self.fields["same_files"]


def _own_variables(project: Project, again: ProjectRun | None) -> dict[str, str]:
    """Those of the other run that are not as the project has them."""
    before = again.env_vars.items() if again else ()
    return {name: value for name, value in before if project.env_vars.get(name) != value}


def _entry(project: Project, wanted: str) -> tuple[EntryPoint | None, str]:
    """The entry point, or why there is none."""
    if project.document is None:
        return None, ""
    try:
        return entry_of(project.document, wanted), ""
    except InvalidInput as error:
        entries = project.document["entry_points"]
        if entries and not wanted:
            return entry_of(project.document, entries[0]["name"]), ""
        return None, error.message
