"""The form of a policy. What is asked of each gate comes from the gate itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

from django import forms
from django.db.models import Q
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Team
from apps.core.actor import Actor
from apps.core.errors import InvalidInput
from apps.registry import gates
from apps.registry.actions.policies import APPROVER_ROLES, ASK_LEVELS, MAX_APPROVALS, MAX_TIMEOUT_HOURS
from apps.registry.gates import Field, Gate
from apps.registry.models import ApproverGroup
from apps.registry.names import MAX_ALIAS
from apps.registry.policies import Rules
from apps.registry.selectors.slots import slot_key
from apps.registry.stages import ENTERED, Slot, SlotKind
from apps.registry.wording import MOVER_PEOPLE, RIGHT_PEOPLE, ROLE_PEOPLE

MOST_GATES = 20
_ALIAS = SlotKind.ALIAS.value


class PolicyForm(forms.Form):
    """What a slot demands, but for its gates. Groups are those of the team that the policy is about, and the site's."""

    slot = forms.ChoiceField(
        label=_("Of"), choices=[*((slot_key(Slot.stage(s)), s.value) for s in ENTERED), (_ALIAS, _("an alias"))]
    )
    alias = forms.CharField(
        label=_("Alias"),
        required=False,
        max_length=MAX_ALIAS,
        help_text=_("An alias with a policy is protected. Those called production or staging follow their stage."),
    )
    approvals = forms.IntegerField(label=_("Approvals"), min_value=1, max_value=MAX_APPROVALS, initial=1)
    approver_role = forms.ChoiceField(
        label=_("By role"), required=False, choices=[(role, ROLE_PEOPLE[role]) for role in APPROVER_ROLES]
    )
    approver_team = forms.ModelChoiceField(
        label=_("Or people of a team"), queryset=Team.objects.none(), required=False, empty_label=_("none")
    )
    approver_group = forms.ModelChoiceField(
        label=_("Or a group of approvers"), queryset=ApproverGroup.objects.none(), required=False, empty_label=_("none")
    )
    allows_self_approval = forms.BooleanField(
        label=_("Who asked may approve"),
        required=False,
        help_text=_("Else neither who asked, nor who made the version, nor who holds the service account that did."),
    )
    ask_level = forms.TypedChoiceField(
        label=_("Who may ask"), coerce=int, choices=[(level.value, RIGHT_PEOPLE[level]) for level in ASK_LEVELS]
    )
    override_by = forms.ChoiceField(
        label=_("Who may go past the policy"),
        required=False,
        choices=list(MOVER_PEOPLE.items()),
        help_text=_("With a reason; it is marked, told to administrators and reviewed by somebody else."),
    )
    rollback_by = forms.ChoiceField(
        label=_("Who may go back at once"),
        required=False,
        choices=list(MOVER_PEOPLE.items()),
        help_text=_("To what was there before, with a reason. Others ask."),
    )
    archives_previous = forms.BooleanField(label=_("Archive what was in the stage before"), required=False)
    timeout_hours = forms.IntegerField(
        label=_("Requests run out after hours"), required=False, min_value=1, max_value=MAX_TIMEOUT_HOURS
    )
    is_final = forms.BooleanField(
        label=_("Final"), required=False, help_text=_("No policy of a team or a model overrules it.")
    )

    def __init__(self, actor: Actor, team: Team | None, data: QueryDict | None, initial: Mapping[str, Any]) -> None:
        super().__init__(data, initial=dict(initial))
        named = Q(pk=initial.get("approver_team") or 0)
        seen = Team.objects.visible_to(actor).values("pk")
        _choices(self, "approver_team", Team.objects.filter(named | Q(pk__in=seen)))
        reach = Q(team__isnull=True) | Q(team=team) if team else Q(team__isnull=True)
        _choices(self, "approver_group", ApproverGroup.objects.filter(reach))

    def clean(self) -> dict[str, Any]:
        """An alias wants its name."""
        data = super().clean() or self.cleaned_data
        if data.get("slot") == _ALIAS and not data.get("alias"):
            self.add_error("alias", _("Say which."))
        return data

    def chosen_slot(self) -> Slot:
        """What the policy is about; of a form that is valid."""
        kind, _colon, name = self.cleaned_data["slot"].partition(":")
        return Slot.alias(self.cleaned_data["alias"]) if kind == _ALIAS else Slot.stage(name)

    def rules(self, demanded: Iterable[Mapping[str, Any]]) -> Rules:
        """The rules that a valid form says, with some gates."""
        data = {name: value for name, value in self.cleaned_data.items() if name not in ("slot", "alias")}
        team, group = data.pop("approver_team"), data.pop("approver_group")
        return Rules(
            approver_team=team.pk if team else None,
            approver_group=group.pk if group else None,
            gates=tuple(demanded),
            **data,
        )


class GateForm(forms.Form):
    """One gate of a policy: the fields that its kind asks for. `place` tells the rows of a form apart."""

    def __init__(self, gate: Gate, place: int, data: QueryDict | None, params: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, prefix=f"gate-{place}", initial=dict(params or {}))
        self.gate, self.place = gate, place
        for field in gate.fields:
            self.fields[field.name] = _as_form_field(field)

    def clean(self) -> dict[str, Any]:
        """Each value as the gate reads it."""
        data = super().clean() or self.cleaned_data
        for field in self.gate.fields:
            if field.name in data:
                self._read(field, data)
        return data

    def demand(self) -> dict[str, Any]:
        """The gate as a policy stores it; of a form that is valid."""
        return {"kind": self.gate.kind, "params": dict(self.cleaned_data)}

    def unjudged(self) -> GateForm:
        """The same row with what was typed, before it is called right or wrong."""
        return GateForm(self.gate, self.place, None, {name: self[name].value() for name in self.fields})

    def _read(self, field: Field, data: dict[str, Any]) -> None:
        try:
            data[field.name] = field.read(data[field.name])
        except InvalidInput as error:
            self.add_error(field.name, error.message)


def gate_forms(data: QueryDict) -> list[GateForm]:
    """The rows that were sent, in their order: `gate` names the place of each, `gate-<place>-kind` what it is."""
    rows = []
    for place in dict.fromkeys(data.getlist("gate")[:MOST_GATES]):
        kind = data.get(f"gate-{place}-kind", "")
        if place.isascii() and place.isdecimal() and len(place) < 5 and kind in gates.KINDS:
            rows.append(GateForm(gates.gate_of(kind), int(place), data))
    return rows


def kept_gate_forms(demanded: Iterable[Mapping[str, Any]]) -> list[GateForm]:
    """The rows of a policy that there is."""
    known = [gate for gate in demanded if gate.get("kind") in gates.KINDS]
    return [GateForm(gates.gate_of(gate["kind"]), place, None, gate["params"]) for place, gate in enumerate(known)]


def _as_form_field(field: Field) -> forms.Field:
    more: dict[str, Any] = {"label": field.label, "help_text": field.help, "required": field.required}
    if field.kind == "choice":
        return forms.ChoiceField(choices=field.choices, initial=field.default, **more)
    mode = {"number": "decimal", "integer": "numeric"}.get(field.kind, "text")
    widget = forms.TextInput(attrs={"inputmode": mode, "autocomplete": "off"})
    strip = field.kind != "text"
    return forms.CharField(max_length=field.max_length, initial=field.default, strip=strip, widget=widget, **more)


def _choices(form: forms.Form, name: str, found: Any) -> None:
    cast("forms.ModelChoiceField[Any]", form.fields[name]).queryset = found
