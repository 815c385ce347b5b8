"""What the pages about promotion share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.forms import BaseForm
from django.utils.translation import gettext as _

from apps.core.errors import DomainError, PermissionDenied
from apps.core.pages import MENDABLE

# Clients are told the call too.
_BY_CALL = "with POST transition-requests/create, or "

# What a slot demands, below the fields of a dialog.
SLOT_PREVIEW = "registry/_slot_preview.html"


@contextmanager
def refusals_in(form: BaseForm, field: str | None = None) -> Iterator[None]:
    """Show in the form what an action refuses, a missing right too: its words name the way to go."""
    try:
        yield
    except (*MENDABLE, PermissionDenied) as error:
        form.add_error(field if field in form.fields else None, _for_readers(error))


def _for_readers(error: DomainError) -> str:
    """What an action refuses, as a page says it."""
    if error.details.get("reason") == "reason_missing":
        return _("Say why: it goes past the policy.")
    return error.message.replace(_BY_CALL, "")
