from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.core import forms as core
from apps.registry.actions.common import MAX_COMMENT
from apps.registry.names import MAX_DESCRIPTION, MAX_KEY, MAX_MODEL_NAME, MAX_SOURCE, MAX_TAG_VALUE
from apps.registry.selectors.models import RESERVED_TAGS


class ConfirmForm(forms.Form):
    """Nothing to fill in: it shows why something was refused."""


class ModelForm(forms.Form):
    """A model's name and description."""

    name = forms.CharField(label=_("Name"), max_length=MAX_MODEL_NAME, widget=forms.TextInput({"autofocus": True}))
    description = forms.CharField(
        label=_("Description"),
        max_length=MAX_DESCRIPTION,
        required=False,
        help_text=_("Markdown. What it predicts, for whom, and what it must not be used for."),
        widget=forms.Textarea(attrs={"rows": 8}),
    )

    def __init__(self, *args: Any, may_rename: bool = True, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not may_rename:
            del self.fields["name"]


class DescriptionForm(forms.Form):
    """What people say about a version."""

    description = forms.CharField(
        label=_("Description"),
        max_length=MAX_DESCRIPTION,
        required=False,
        help_text=_("Markdown. What is new in it, and what is known to be wrong."),
        widget=forms.Textarea(attrs={"rows": 12, "autofocus": True}),
    )


class TagForm(core.TagForm):
    """A tag of a model or version; one that is there can be taken away."""

    reserved = RESERVED_TAGS

    key = forms.CharField(label=_("Key"), max_length=MAX_KEY)
    value = forms.CharField(label=_("Value"), max_length=MAX_TAG_VALUE, required=False)


class RegisterForm(forms.Form):
    """Which model a new version is of: one that is there, or a new one. `source` is the files' address."""

    source = forms.CharField(
        label=_("Source"),
        max_length=MAX_SOURCE,
        help_text=_("runs:/RUN/PATH, models:/MODEL_ID of a logged model, or models:/NAME/VERSION for a copy."),
        widget=forms.TextInput(attrs={"class": "input-mono"}),
    )
    new_name = forms.CharField(
        label=_("Or a new model named"),
        max_length=MAX_MODEL_NAME,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    description = forms.CharField(
        label=_("Description"),
        max_length=MAX_DESCRIPTION,
        required=False,
        help_text=_("Markdown. What is new in this version."),
        widget=forms.Textarea(attrs={"rows": 4}),
    )

    def __init__(
        self, *args: Any, models: list[tuple[str, str]], sources: list[tuple[str, str]], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", _("A new model")), *models]
        self.fields["model"] = forms.ChoiceField(label=_("Model"), choices=choices, required=False)
        if sources:
            self.fields["source"] = forms.ChoiceField(label=_("What to register"), choices=sources)
        self.order_fields(["source", "model", "new_name", "description"])

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if bool(given.get("model")) == bool(given.get("new_name")) and "model" in given:
            raise forms.ValidationError(_("Choose a model, or name a new one."))
        return given


class PromptForm(forms.Form):
    """The text of a prompt, and what is new in it."""

    template = forms.CharField(
        label=_("Text"),
        max_length=MAX_TAG_VALUE,
        strip=False,
        help_text=_("Variables are written as {{ name }}."),
        widget=forms.Textarea(attrs={"rows": 12, "class": "input-mono"}),
    )
    commit_message = forms.CharField(label=_("What is new"), max_length=1000, required=False)


class NewPromptForm(PromptForm):
    """A prompt that is made in the browser. Clients take names of letters, digits, `_`, `.` and `-`."""

    name = forms.RegexField(
        r"^[a-zA-Z0-9_.-]+$",
        label=_("Name"),
        max_length=MAX_MODEL_NAME,
        error_messages={"invalid": _("Letters, digits, “_”, “.” and “-”.")},
        widget=forms.TextInput(attrs={"autofocus": True}),
    )
    field_order = ("name", "template", "commit_message")


class CommentForm(forms.Form):
    """Somebody's words on a version."""

    text = forms.CharField(
        label=_("Comment"),
        max_length=MAX_COMMENT,
        help_text=_("Markdown. With @name somebody hears of it."),
        widget=forms.Textarea(attrs={"rows": 4}),
    )
