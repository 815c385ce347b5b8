from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.core import forms as core

MAX_RUN_NAME = 250
MAX_TAG_KEY = 250
MAX_TAG_VALUE = 8000


class RunNameForm(forms.Form):
    """A run's name."""

    name = forms.CharField(label=_("Name"), max_length=MAX_RUN_NAME, widget=forms.TextInput(attrs={"autofocus": True}))


class RunNoteForm(forms.Form):
    """What people say about a run."""

    note = forms.CharField(
        label=_("Note"),
        max_length=MAX_TAG_VALUE,
        required=False,
        help_text=_("Markdown. Empty takes the note away."),
        widget=forms.Textarea(attrs={"rows": 12, "autofocus": True}),
    )


class RunTagForm(core.TagForm):
    """A tag of a run; one that is there can be taken away."""

    key = forms.CharField(label=_("Key"), max_length=MAX_TAG_KEY)
    value = forms.CharField(label=_("Value"), max_length=MAX_TAG_VALUE, required=False)
