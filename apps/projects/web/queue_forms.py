from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

_MOST = 2**31 - 1


class QueueForm(forms.Form):
    """What can be changed of a queue."""

    description = forms.CharField(label=_("Description"), max_length=500, required=False)
    max_running = forms.IntegerField(
        label=_("Runs at once"),
        min_value=1,
        max_value=_MOST,
        required=False,
        help_text=_("Empty: as many as its workers take."),
    )


class NewQueueForm(QueueForm):
    """A new queue; its name stays."""

    name = forms.CharField(
        label=_("Name"),
        max_length=63,
        help_text=_("Lower-case letters, digits, hyphens and underscores, such as “gpu”."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    field_order = ("name", "description", "max_running")


class QuotaForm(forms.Form):
    """What a team may have; what is empty has no limit."""

    max_running = forms.IntegerField(label=_("Runs at once"), min_value=0, max_value=_MOST, required=False)
    max_queued = forms.IntegerField(label=_("Runs that wait"), min_value=0, max_value=_MOST, required=False)
    archive_mb = forms.IntegerField(
        label=_("Uploaded projects, in MB"),
        min_value=0,
        max_value=2**33,
        required=False,
        help_text=_("What is empty has no limit."),
    )
