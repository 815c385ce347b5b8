from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

MAX_EXPERIMENT_NAME = 500
MAX_NOTE = 20_000


class ExperimentForm(forms.Form):
    """The name and description of an experiment."""

    name = forms.CharField(label=_("Name"), max_length=MAX_EXPERIMENT_NAME)
    note = forms.CharField(
        label=_("Description"),
        max_length=MAX_NOTE,
        required=False,
        help_text=_("Markdown. What is tried, on which data, and what counts as better."),
        widget=forms.Textarea(attrs={"rows": 6}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].widget.attrs["autofocus"] = True


class NewExperimentForm(ExperimentForm):
    """An experiment that is made in the browser."""

    artifact_location = forms.CharField(
        label=_("Artifact location"),
        max_length=2000,
        required=False,
        help_text=_("Empty for this server's own store; else a folder in a store that the operator allows."),
        widget=forms.TextInput(attrs={"class": "input-mono", "placeholder": "s3://bucket/folder"}),
    )
    field_order = ("name", "note", "artifact_location")
