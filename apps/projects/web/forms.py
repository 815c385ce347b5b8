"""Forms about projects themselves: where they come from, what their runs begin with."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.forms import BoundField
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Team
from apps.core.actor import Actor
from apps.core.pairs import PairsField
from apps.experiments.models import Experiment
from apps.projects.asking.changes import Defaults, Source, git_source
from apps.projects.asking.names import MAX_DESCRIPTION, MAX_NAME
from apps.projects.models import Project, Queue, Secret, SourceKind
from apps.runtime.limits import AMOUNTS, Limits

_MOST_EXPERIMENTS = 500


class LimitsForm(forms.Form):
    """What a run may take; a field is named as its limit is."""

    seconds = forms.IntegerField(label=_("Time, seconds"), min_value=1, required=False)
    cpus = forms.FloatField(label=_("CPUs"), min_value=0.01, required=False)
    memory_mb = forms.IntegerField(label=_("Memory, MB"), min_value=1, required=False)
    processes = forms.IntegerField(label=_("Processes"), min_value=1, required=False)
    file_mb = forms.IntegerField(label=_("Largest file, MB"), min_value=1, required=False)
    disk_mb = forms.IntegerField(label=_("Disk, MB"), min_value=1, required=False)
    no_network = forms.BooleanField(label=_("No network"), required=False)

    @property
    def limit_fields(self) -> list[BoundField]:
        """In the order in which pages show them, without the network."""
        return [self[name] for name in AMOUNTS]

    @property
    def has_wrong_limits(self) -> bool:
        """Whether one of them was refused, so that pages show them."""
        return any(name in self.errors for name in AMOUNTS)


class ConfirmForm(forms.Form):
    """Nothing to fill in: it shows why something was refused."""


class ReasonForm(forms.Form):
    """Why somebody cancels a run."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=500,
        required=False,
        help_text=_("It is kept with the run and in the audit log."),
        widget=forms.TextInput({"autofocus": True}),
    )


class DescribeForm(forms.Form):
    """A project's name and description."""

    name = forms.CharField(label=_("Name"), max_length=MAX_NAME, widget=forms.TextInput({"autofocus": True}))
    description = forms.CharField(
        label=_("Description"),
        max_length=MAX_DESCRIPTION,
        required=False,
        help_text=_("Markdown."),
        widget=forms.Textarea(attrs={"rows": 6}),
    )


class SourceForm(forms.Form):
    """Where the files are; the kind is chosen before. `name` and `description` where the project is new."""

    kinds: ClassVar[dict[str, tuple[str, ...]]] = {
        SourceKind.GIT: ("address", "version", "subfolder"),
        SourceKind.ARCHIVE: ("file", "subfolder"),
        SourceKind.FOLDER: ("folder", "subfolder"),
    }

    name = forms.CharField(
        label=_("Name"), max_length=MAX_NAME, required=False, help_text=_("Without one, what the files are called.")
    )
    address = forms.CharField(
        label=_("Git address"),
        max_length=1000,
        widget=forms.TextInput({"class": "input-mono", "placeholder": "https://github.com/team/project.git"}),
        help_text=_("https, ssh or git. The worker that reads it has to be able to reach it."),
    )
    version = forms.CharField(
        label=_("Branch, tag or commit"),
        max_length=250,
        required=False,
        widget=forms.TextInput({"class": "input-mono", "placeholder": "main"}),
        help_text=_("Without one, the repository's default branch as it is when a run starts."),
    )
    file = forms.FileField(
        label=_("Zip file"),
        help_text=_("With an MLproject file at its top, or in its only folder."),
        widget=forms.FileInput({"accept": ".zip,application/zip"}),
    )
    folder = forms.CharField(
        label=_("Folder"),
        max_length=1000,
        widget=forms.TextInput({"class": "input-mono"}),
        help_text=_("Its whole path."),
    )
    subfolder = forms.CharField(
        label=_("Subfolder"),
        max_length=500,
        required=False,
        widget=forms.TextInput({"class": "input-mono"}),
        help_text=_("Where the MLproject file lies, if it is not at the top."),
    )
    description = forms.CharField(
        label=_("Description"), max_length=MAX_DESCRIPTION, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(self, *args: Any, kind: str, is_new: bool = True, roots: tuple[str, ...] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kind = SourceKind(kind)
        wanted = {*self.kinds[self.kind], *(("name", "description") if is_new else ())}
        for name in [name for name in self.fields if name not in wanted]:
            del self.fields[name]
        if "folder" in self.fields:
            self.fields["folder"].help_text = _("Its whole path, below %(roots)s.") % {"roots": ", ".join(roots)}

    @property
    def source(self) -> Source:
        """What was said; of an upload without its archive, which the view keeps."""
        given = self.cleaned_data
        if self.kind is SourceKind.GIT:
            return git_source(given["address"], given["version"], given["subfolder"])
        return Source(self.kind, given.get("folder", "").strip(), "", given["subfolder"].strip().strip("/"))


class DefaultsForm(LimitsForm):
    """What runs of a project begin with unless they say otherwise."""

    experiment = forms.ChoiceField(label=_("Experiment"), required=False)
    queue = forms.ChoiceField(label=_("Queue"))
    max_running = forms.IntegerField(
        label=_("Runs at once"), min_value=1, required=False, help_text=_("Without one, as many as there is room for.")
    )
    env_vars = PairsField(
        label=_("Environment variables"), help_text=_("Everybody who sees the project sees them: use secrets for keys.")
    )
    secrets = forms.MultipleChoiceField(
        label=_("Secrets"), required=False, widget=forms.CheckboxSelectMultiple, help_text=_("Given as variables.")
    )

    def __init__(self, *args: Any, actor: Actor, project: Project, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._project = project
        _choose(self, "experiment", [("", _("One of the project's name")), *_with_own(actor, project)])
        _choose(self, "queue", queue_choices())
        _choose(self, "secrets", secret_choices(actor, project.team))

    def defaults(self, experiment: Experiment | None) -> Defaults:
        """What was said, with the experiment that was fetched for it.

        Who may name no secrets of the team is shown none, and leaves the project's as they are.
        """
        given = self.cleaned_data
        return Defaults(
            experiment=experiment,
            queue=given["queue"],
            env_vars=given["env_vars"],
            secrets=tuple(given.get("secrets", self._project.secrets)),
            limits=limits_of(given),
            max_running=given["max_running"],
        )


def limits_of(given: dict[str, Any]) -> Limits:
    """The limits among a form's values."""
    said = {name: given[name] for name in AMOUNTS if given.get(name) is not None}
    return Limits.from_json(said | ({"network": False} if given.get("no_network") else {}))


def limit_initial(limits: dict[str, Any]) -> dict[str, Any]:
    """Kept limits as a form begins with them."""
    return {name: limits.get(name) for name in AMOUNTS} | {"no_network": limits.get("network") is False}


def experiment_choices(actor: Actor, project: Project) -> list[tuple[str, Any]]:
    """None, which is the project's own, and those of the actor's lists by name."""
    own = project.experiment.name if project.experiment else project.name
    return [("", _("%(name)s, as the project says") % {"name": own}), *experiments_of(actor, project)]


def experiments_of(actor: Actor, project: Project) -> list[tuple[str, Any]]:
    """Those of the actor's lists by name."""
    found = Experiment.objects.listed_for(actor.speaking_for(project.team_id)).active().order_by("name")
    return [(str(pk), name) for pk, name in found.values_list("pk", "name")[:_MOST_EXPERIMENTS]]


def _with_own(actor: Actor, project: Project) -> list[tuple[str, Any]]:
    """Those of the actor's lists, and the project's own, which may not be among them: saving leaves it as it is."""
    own = project.experiment
    found = experiments_of(actor, project)
    return [(str(own.pk), own.name), *(one for one in found if one[0] != str(own.pk))] if own else found


def queue_choices() -> list[tuple[str, Any]]:
    """All queues; what is paused says so."""
    return [
        (name, _("%(name)s (paused)") % {"name": name} if paused else name)
        for name, paused in Queue.objects.values_list("name", "is_paused")
    ]


def secret_choices(actor: Actor, team: Team) -> list[tuple[str, Any]]:
    """The names of the team's secrets, where the actor may use them."""
    return [(name, name) for name in Secret.objects.visible_to(actor).filter(team=team).values_list("name", flat=True)]


def _choose(form: forms.Form, name: str, choices: list[tuple[str, Any]]) -> None:
    field = form.fields[name]
    if not isinstance(field, forms.ChoiceField):
        raise TypeError(f"{name} is no field of choices")
    field.choices = choices
    if name == "secrets" and not choices:
        del form.fields[name]
