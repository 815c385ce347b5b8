"""Forms that pages of several apps have."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _


class TagForm(forms.Form):
    """A tag of an object; one that is there can be taken away. Who inherits says what the key and the value take."""

    # Keys that begin so are the client's own.
    reserved: ClassVar[str | tuple[str, ...]] = "mlflow."

    key = forms.CharField(label=_("Key"))
    value = forms.CharField(label=_("Value"), required=False)
    remove = forms.BooleanField(label=_("Remove this tag"), required=False)

    def __init__(self, *args: Any, is_new: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if is_new:
            del self.fields["remove"]
        else:
            self.fields["key"].widget.attrs["readonly"] = True

    def clean_key(self) -> str:
        """The key. Raises `ValidationError` for one that the client keeps something under."""
        key: str = self.cleaned_data["key"]
        if key.startswith(self.reserved):
            raise forms.ValidationError(_("Keys that begin with “mlflow.” are the client's own."))
        return key
