"""What people type when they ask, decide, move and go back."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, cast

from django import forms
from django.utils.translation import gettext as now
from django.utils.translation import gettext_lazy as _

from apps.registry.actions.common import MAX_COMMENT
from apps.registry.models import PromotionRequest, RequestKind
from apps.registry.names import MAX_ALIAS
from apps.registry.policies import Rules
from apps.registry.selectors.slots import slot_key
from apps.registry.stages import Slot


class CommentField(forms.CharField):
    """Words of a person, in Markdown."""

    def __init__(self, *, rows: int = 3, **more: Any) -> None:
        more.setdefault("required", False)
        super().__init__(max_length=MAX_COMMENT, widget=forms.Textarea(attrs={"rows": rows}), **more)


class DecisionForm(forms.Form):
    """A word on a request, bound to the round that was read.

    Where no policy says whether what is in the stage is archived, who approves does.
    """

    comment = CommentField(label=_("Comment"))
    archive_existing = forms.BooleanField(label=_("Archive what is there now"), required=False, initial=True)
    round = forms.IntegerField(min_value=1, widget=forms.HiddenInput)

    def __init__(self, asked: PromotionRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        is_active = asked.slot.is_stage and asked.slot.namesake is not None
        if not is_active or asked.kind == RequestKind.ROLLBACK or Rules.from_json(asked.rules).is_governed:
            del self.fields["archive_existing"]


class SlotForm(forms.Form):
    """Where a version is to go. What is offered depends on the version."""

    slot = forms.ChoiceField(label=_("Where to"))

    def __init__(self, slots: Sequence[Slot], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._slots = {slot_key(slot): slot for slot in slots}
        field = cast("forms.ChoiceField", self.fields["slot"])
        field.choices = [(slot_key(slot), _slot_label(slot)) for slot in slots]

    def chosen(self) -> Slot:
        """What was chosen in a form that is valid."""
        return self._slots[self.cleaned_data["slot"]]

    def previewed(self, address: str) -> None:
        """Let a choice show what it demands, from `address`."""
        more = {"hx-get": address, "hx-target": "#dialog-below", "hx-trigger": "change", "hx-include": "this"}
        self.fields["slot"].widget.attrs.update(more)


class AskForm(SlotForm):
    """A request that a version enter a slot."""

    comment = CommentField(label=_("Why"), help_text=_("What speaks for it. Markdown; a name after @ gets word of it."))


class MoveForm(SlotForm):
    """A move at once."""

    archive_existing = forms.BooleanField(
        label=_("Archive what is there now"),
        required=False,
        initial=True,
        help_text=_("Counts for Staging and Production."),
    )
    comment = CommentField(label=_("Reason"))


class AliasForm(forms.Form):
    """An alias and the version that it points at."""

    alias = forms.CharField(
        label=_("Alias"), max_length=MAX_ALIAS, help_text=_("Letters, digits, hyphens and underscores.")
    )
    number = forms.IntegerField(label=_("Version"), min_value=1)
    reason = CommentField(label=_("Reason"), rows=2)


class ReasonForm(forms.Form):
    """Why something is done."""

    reason = CommentField(label=_("Reason"))


class RollbackForm(forms.Form):
    """Why one goes back, bound to the version that was shown as the one that comes back."""

    reason = CommentField(label=_("Reason"), required=True)
    to = forms.IntegerField(min_value=1, widget=forms.HiddenInput)


class NamesField(forms.CharField):
    """User names, one a line or between commas; a list without repetitions."""

    def clean(self, value: Any) -> list[str]:
        """The names."""
        return list(dict.fromkeys(name for name in re.split(r"[\s,;]+", super().clean(value)) if name))


class GroupForm(forms.Form):
    """Named people who approve."""

    name = forms.CharField(label=_("Name"), max_length=100)
    description = forms.CharField(label=_("Description"), max_length=500, required=False)
    members = NamesField(
        label=_("Members"),
        required=False,
        max_length=40_000,
        help_text=_("User names, one a line. Service accounts never approve."),
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false", "autocomplete": "off"}),
    )


class ReviewForm(forms.Form):
    """What somebody thinks of a move past a policy."""

    review = CommentField(label=_("What you think of it"), required=True)


def _slot_label(slot: Slot) -> str:
    return now("the stage %s") % slot.name if slot.is_stage else now("the alias %s") % slot
