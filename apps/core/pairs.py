"""Rows of a name and a value in forms: parameters that nobody declared, variables of the environment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import QueryDict
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _

Pair = tuple[str, str]
MAX_PAIRS = 100


class PairsWidget(forms.Widget):
    """Two inputs for each pair, and an empty row; a script adds more. Sent as `<name>.name` and `<name>.value`."""

    template_name = "components/pairs.html"
    use_fieldset = True

    def __init__(self, *, names: str = "", spare: int = 1) -> None:
        super().__init__()
        self.names, self.spare = names or str(_("Name")), spare

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        """With the site's own templates."""
        return mark_safe(render_to_string(self.template_name, self.get_context(name, value, attrs)))  # noqa: S308

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        # What was sent has the empty row too.
        rows = [*(pair for pair in _pairs_of(value) if any(pair)), *[("", "")] * self.spare]
        return context | {"rows": rows, "names": self.names, "values": _("Value")}

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[Pair]:
        if not isinstance(data, QueryDict):
            return []
        return list(zip(data.getlist(f"{name}.name"), data.getlist(f"{name}.value"), strict=False))

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return f"{name}.name" not in data

    def id_for_label(self, id_: str) -> str:
        return ""


class PairsField(forms.Field):
    """A mapping of names to values. Rows without a name and a value are left out."""

    def __init__(self, *, names: str = "", **kwargs: Any) -> None:
        super().__init__(required=False, widget=PairsWidget(names=names), **kwargs)

    def clean(self, value: Any) -> dict[str, str]:
        found: dict[str, str] = {}
        for name, text in _pairs_of(value):
            name = name.strip()
            if not name and not text:
                continue
            if not name:
                raise forms.ValidationError(_("A value has no name."))
            if name in found:
                raise forms.ValidationError(_("“%(name)s” stands there twice."), params={"name": name})
            if "\x00" in name + text:
                raise forms.ValidationError(_("A character can't be kept."))
            found[name] = text
        if len(found) > MAX_PAIRS:
            raise forms.ValidationError(_("At most %(most)s."), params={"most": MAX_PAIRS})
        return found

    def has_changed(self, initial: Any, data: Any) -> bool:
        return dict(_pairs_of(initial)) != {name: value for name, value in _pairs_of(data) if name}


def _pairs_of(value: Any) -> list[Pair]:
    if isinstance(value, Mapping):
        return [(str(name), str(text)) for name, text in value.items()]
    return list(value or [])
