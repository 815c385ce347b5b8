"""Forms about deployments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.core.errors import InvalidInput
from apps.deployments.follows import Follow
from apps.deployments.models import Following, FollowMode
from apps.deployments.names import MAX_DESCRIPTION, MAX_REASON, check_deployment_name
from apps.deployments.ports import LOOPBACK, Port
from apps.deployments.web.config_forms import KEPT_REASON, ConfigForm
from apps.registry.models import ModelVersion, RegisteredModel
from apps.registry.stages import ACTIVE, Stage


class RulesForm(forms.Form):
    """What a deployment follows, and which versions it takes."""

    follows = forms.ChoiceField(
        label=_("After that"),
        choices=[
            (Following.FIXED.value, _("Stay with it, until somebody deploys another version")),
            (Following.STAGE.value, _("Follow a stage: whatever version is in it")),
            (Following.ALIAS.value, _("Follow an alias: whatever version it points at")),
        ],
        widget=forms.RadioSelect,
    )
    stage = forms.ChoiceField(
        label=_("Stage"), choices=[(one.value, one.value) for one in reversed(ACTIVE)], required=False
    )
    alias = forms.CharField(
        label=_("Alias"),
        max_length=255,
        required=False,
        widget=forms.TextInput(
            {"class": "input-mono", "placeholder": "champion", "autocomplete": "off", "list": "aliases"}
        ),
    )
    follow_mode = forms.ChoiceField(
        label=_("When it has another version"),
        choices=[
            (FollowMode.PROPOSE.value, _("Propose it: a person presses Deploy")),
            (FollowMode.APPLY.value, _("Deploy it at once, by this rule")),
        ],
        widget=forms.RadioSelect,
        required=False,
    )
    stages = forms.MultipleChoiceField(
        label=_("Only versions in"),
        choices=[(one.value, one.value) for one in reversed(ACTIVE)],
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("None chosen: any version may be deployed here."),
    )

    def clean_alias(self) -> str:
        alias: str = self.cleaned_data["alias"].strip().removeprefix("@")
        if self.cleaned_data.get("follows") == Following.ALIAS and not alias:
            raise forms.ValidationError(_("Name the alias to follow."))
        return alias

    def follow(self) -> Follow:
        """What was said."""
        given = self.cleaned_data
        kind = Following(given["follows"])
        name = {Following.STAGE: given["stage"], Following.ALIAS: given["alias"]}.get(kind, "")
        return Follow(kind, name, FollowMode(given["follow_mode"] or FollowMode.PROPOSE))


class PortForm(forms.Form):
    """Where callers reach a deployment."""

    reach = forms.ChoiceField(
        label=_("Where callers reach it"),
        choices=[
            ("gateway", _("At this site's address, with a token")),
            ("port", _("At an HTTP port of its own too")),
        ],
        widget=forms.RadioSelect,
    )
    port = forms.IntegerField(
        label=_("HTTP port"),
        min_value=1024,
        max_value=65_535,
        required=False,
        widget=forms.NumberInput({"placeholder": "5001"}),
    )
    port_host = forms.CharField(
        label=_("Address"),
        max_length=64,
        required=False,
        help_text=_("127.0.0.1: this machine alone, without a token. 0.0.0.0: all of its addresses, with a token."),
        widget=forms.TextInput({"class": "input-mono", "list": "addresses", "autocomplete": "off"}),
    )
    port_open = forms.BooleanField(
        label=_("Without a token, for whoever reaches the address"),
        required=False,
        help_text=_("That it was opened, and by whom, is kept in the audit log."),
    )

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if given.get("reach") == "port" and given.get("port") is None and "port" not in self.errors:
            self.add_error("port", _("Say which port."))
        return given

    def chosen(self) -> Port:
        """What was said."""
        given = self.cleaned_data
        if given["reach"] != "port":
            return Port()
        return Port(given["port"], given["port_host"].strip() or LOOPBACK, given["port_open"])


class NewForm(ConfigForm, RulesForm, PortForm):
    """A new deployment of a model: everything on one page."""

    name = forms.CharField(
        label=_("Name"),
        max_length=63,
        help_text=_("A part of its address: small letters, digits and hyphens."),
        widget=forms.TextInput({"class": "input-mono", "autocomplete": "off", "spellcheck": "false"}),
    )
    description = forms.CharField(
        label=_("Description"), max_length=MAX_DESCRIPTION, required=False, widget=forms.Textarea({"rows": 2})
    )
    version = forms.ChoiceField(label=_("Version"))

    def __init__(self, *args: Any, versions: Sequence[ModelVersion], model: RegisteredModel, **kwargs: Any) -> None:
        begin = {"follows": Following.FIXED.value, "stage": Stage.PRODUCTION.value, "reach": "gateway"}
        begin |= {"follow_mode": FollowMode.PROPOSE.value, "port_host": LOOPBACK}
        kwargs["initial"] = begin | (kwargs.get("initial") or {})
        super().__init__(*args, **kwargs)
        self.model = model
        choose_version(self, versions)

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        try:
            check_deployment_name(name)
        except InvalidInput as error:
            raise forms.ValidationError(error.message) from error
        return name


class DeployForm(forms.Form):
    """Another version for a deployment."""

    version = forms.ChoiceField(label=_("Version"))
    canary = forms.BooleanField(
        label=_("As a canary"),
        required=False,
        help_text=_("It is made ready and gets no traffic before you give it some."),
    )
    reason = forms.CharField(label=_("Reason"), max_length=MAX_REASON, required=False, help_text=KEPT_REASON)

    def __init__(self, *args: Any, versions: Sequence[ModelVersion], may_canary: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choose_version(self, versions)
        if not may_canary:
            del self.fields["canary"]


class ReasonForm(forms.Form):
    """Why somebody does it."""

    reason = forms.CharField(
        label=_("Reason"),
        max_length=MAX_REASON,
        required=False,
        help_text=_("It is kept in the audit log."),
        widget=forms.TextInput({"autofocus": True}),
    )


class DescribeForm(forms.Form):
    """What it is for."""

    description = forms.CharField(
        label=_("Description"),
        max_length=MAX_DESCRIPTION,
        required=False,
        help_text=_("Markdown."),
        widget=forms.Textarea({"rows": 3}),
    )


class ScaleForm(forms.Form):
    """How many instances there are."""

    instances = forms.IntegerField(label=_("Instances"), min_value=1, max_value=64)


class DeleteForm(forms.Form):
    """Deleting one wants its name."""

    name = forms.CharField(
        label=_("Its name"), widget=forms.TextInput({"autocomplete": "off", "autofocus": True, "class": "input-mono"})
    )

    def __init__(self, *args: Any, expected: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._expected = expected

    def clean_name(self) -> str:
        if self.cleaned_data["name"].strip() != self._expected:
            raise forms.ValidationError(_("That is not its name."))
        return self._expected


def initial_of_port(port: Port) -> dict[str, Any]:
    """A port as forms begin with it."""
    reach = "gateway" if port.number is None else "port"
    return {"reach": reach, "port": port.number, "port_host": port.host, "port_open": port.is_open}


def initial_of_rules(follow: Follow, stages: Sequence[str]) -> dict[str, Any]:
    """What is followed as forms begin with it."""
    return {
        "follows": follow.kind.value,
        "stage": follow.name if follow.kind == Following.STAGE else Stage.PRODUCTION.value,
        "alias": follow.name if follow.kind == Following.ALIAS else "",
        "follow_mode": follow.mode.value,
        "stages": list(stages),
    }


def choose_version(form: forms.Form, versions: Sequence[ModelVersion]) -> None:
    """Offer some versions, by number."""
    field = form.fields["version"]
    if not isinstance(field, forms.ChoiceField):
        raise TypeError("version is no field of choices")
    field.choices = [(str(one.number), _words(one)) for one in versions]


def _words(version: ModelVersion) -> str:
    return f"{version.number} · {version.stage}" if version.stage != Stage.NONE.value else str(version.number)
