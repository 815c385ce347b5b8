"""The form of a schedule: when, and by which rules. What it starts is the form that starts runs."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.core.actor import Actor
from apps.core.errors import InvalidInput
from apps.projects.actions.schedules import MAX_NAME, Plan
from apps.projects.asking.submission import Submission
from apps.projects.cron import MAX_CRON, Cron, parse_zone, zone_names
from apps.projects.models import Missed, Overlap, Project, ProjectRun, Schedule
from apps.projects.web.start_forms import Beginning, StartForm

# A schedule's runs go where the project says, and are of the files that it has then.
_NOT_ASKED = ("experiment", "new_experiment", "same_files")
_OVERLAP_WORDS = {
    Overlap.SKIP: _("Leave this time out"),
    Overlap.QUEUE: _("Start the next all the same; it waits its turn"),
    Overlap.CANCEL: _("Cancel the last run, and start the next"),
}
_MISSED_WORDS = {Missed.SKIP: _("Leave it out"), Missed.ONCE: _("One run for all times that were missed")}


class ScheduleForm(forms.Form):
    """When runs start, and what happens where one can't."""

    name = forms.CharField(label=_("Name"), max_length=MAX_NAME)
    cron = forms.CharField(
        label=_("When, as a cron line"),
        max_length=MAX_CRON,
        initial="0 3 * * *",
        widget=forms.TextInput({"class": "input-mono", "autocomplete": "off", "spellcheck": "false"}),
        help_text=_("Minute, hour, day of month, month, day of week. Both days have to match where both are said."),
    )
    timezone = forms.ChoiceField(
        label=_("Time zone"), initial="UTC", choices=lambda: [(zone, zone) for zone in zone_names()]
    )
    overlap = forms.ChoiceField(label=_("While its last run still goes on"), choices=list(_OVERLAP_WORDS.items()))
    missed = forms.ChoiceField(
        label=_("When a time was missed"),
        choices=list(_MISSED_WORDS.items()),
        help_text=_("Missed is what nobody saw to within five minutes, such as while the server was off."),
    )

    def __init__(self, data: Any = None, *, schedule: Schedule | None = None) -> None:
        names = ("name", "cron", "timezone", "overlap", "missed")
        super().__init__(data, initial={name: getattr(schedule, name) for name in names} if schedule else None)

    def clean_cron(self) -> str:
        """The line. Raises `ValidationError` that names its field."""
        text: str = self.cleaned_data["cron"]
        return _checked(lambda: Cron.parse(text).text)

    def clean_timezone(self) -> str:
        """The name of a time zone that there is."""
        name: str = self.cleaned_data["timezone"]
        return _checked(lambda: parse_zone(name).key)

    def plan(self, asks: Submission) -> Plan:
        """The schedule; of a form that is valid."""
        given = self.cleaned_data
        return Plan(
            name=given["name"],
            cron=given["cron"],
            timezone=given["timezone"],
            asks=asks,
            missed=Missed(given["missed"]),
            overlap=Overlap(given["overlap"]),
        )


def ask_form(actor: Actor, project: Project, schedule: Schedule | None, data: Any = None, entry: str = "") -> StartForm:
    """What each run is asked for, beginning as the schedule has it."""
    form = StartForm(data, actor=actor, begin=Beginning(project, _as_run(project, schedule), entry))
    for name in _NOT_ASKED:
        form.fields.pop(name, None)
    return form


def _as_run(project: Project, schedule: Schedule | None) -> ProjectRun | None:
    """A run as the schedule asks for it, which is nowhere kept."""
    if schedule is None:
        return None
    asks = Submission.from_json(schedule.asks)
    return ProjectRun(
        project=project,
        source_kind=project.source_kind,
        source_version=asks.source_version,
        entry_point=asks.entry_point,
        params=asks.params,
        env_vars=asks.env_vars,
        secrets=project.secrets if asks.secrets is None else asks.secrets,
        limits=asks.limits.to_json(),
        queue=asks.queue or project.queue,
        priority=asks.priority,
        gpus=asks.gpus,
        retries=asks.retries,
        retries_failures=asks.retries_failures,
        backoff_s=asks.backoff_s,
    )


def _checked(read: Any) -> str:
    try:
        text: str = read()
    except InvalidInput as error:
        raise forms.ValidationError(error.message.partition(": ")[2] or error.message) from error
    return text
