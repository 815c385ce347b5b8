from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from apps.core.errors import InvalidInput
from apps.projects.actions.secrets import MAX_DESCRIPTION
from apps.projects.asking.variables import check_secret_name


class UnseenTextarea(forms.Textarea):
    """A field for a secret: what was typed does not come back with a form that was refused."""

    def format_value(self, value: Any) -> str:
        return ""


class SecretForm(forms.Form):
    """Another value for a secret. A description that is left as it was stays."""

    value = forms.CharField(
        label=_("Value"),
        strip=False,
        widget=UnseenTextarea(attrs={"rows": 3, "autocomplete": "off", "spellcheck": "false", "class": "mono"}),
        help_text=_("At most 64 KB. A line break at the end is left out. It is kept sealed, and never shown again."),
    )
    description = forms.CharField(
        label=_("Description"),
        required=False,
        max_length=MAX_DESCRIPTION,
        help_text=_("What it opens, and where to get another: members of the team see this."),
    )

    def clean_value(self) -> str:
        """As a program wants it: browsers send other line breaks than are typed."""
        value: str = self.cleaned_data["value"]
        return value.replace("\r\n", "\n").removesuffix("\n")


class NewSecretForm(SecretForm):
    """A secret that isn't there yet."""

    name = forms.CharField(
        label=_("Name"),
        max_length=100,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "class": "mono"}),
        help_text=_("A run finds it as the environment variable of this name, such as S3_KEY."),
    )
    field_order = ("name", "value", "description")

    def clean_name(self) -> str:
        """The name. Raises `ValidationError` for one that no secret may have."""
        name: str = self.cleaned_data["name"]
        try:
            check_secret_name(name)
        except InvalidInput as error:
            raise forms.ValidationError(error.message) from error
        return name
