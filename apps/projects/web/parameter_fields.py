"""Fields of declared parameters: each checks its value as running it would."""

from __future__ import annotations

from typing import Any

from django import forms

from apps.core.errors import InvalidInput
from apps.projects.asking.checking import command_for
from apps.projects.mlproject import EntryPoint, Parameter, ParameterType

_MAX_VALUE = 6000


def field_of(parameter: Parameter) -> forms.Field:
    """The field of a declared parameter; it shows its default."""
    attrs = {"placeholder": parameter.default, "autocomplete": "off"} if parameter.default else {"autocomplete": "off"}
    if parameter.type is ParameterType.FLOAT:
        attrs["inputmode"] = "decimal"
    return ParameterField(
        parameter,
        label=parameter.name,
        required=parameter.default is None,
        initial=parameter.default,
        max_length=_MAX_VALUE,
        strip=False,
        widget=forms.TextInput({**attrs, "class": "input-mono"}),
    )


class ParameterField(forms.CharField):
    """A value of a declared parameter."""

    def __init__(self, parameter: Parameter, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.parameter = parameter

    def clean(self, value: Any) -> str:
        text: str = super().clean(value)
        if text:
            entry = EntryPoint(self.parameter.name, "true", {self.parameter.name: self.parameter})
            try:
                command_for(entry, {self.parameter.name: text})
            except InvalidInput as error:
                raise forms.ValidationError(error.message) from error
        return text
