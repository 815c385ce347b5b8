from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

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


class RunTagForm(forms.Form):
    """A tag of a run; one that is there can be taken away."""

    key = forms.CharField(label=_("Key"), max_length=MAX_TAG_KEY)
    value = forms.CharField(label=_("Value"), max_length=MAX_TAG_VALUE, required=False)
    remove = forms.BooleanField(label=_("Remove this tag"), required=False)

    def __init__(self, *args: Any, is_new: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if is_new:
            del self.fields["remove"]
        else:
            self.fields["key"].widget.attrs["readonly"] = True

    def clean_key(self) -> str:
        key: str = self.cleaned_data["key"]
        if key.startswith("mlflow."):
            raise forms.ValidationError(_("Keys that begin with “mlflow.” are the client's own."))
        return key
