from __future__ import annotations

from enum import Enum
from typing import Any, TypeVar

from django.db.models import QuerySet

Rows = TypeVar("Rows", bound=QuerySet[Any])


class View(Enum):
    """Which side of the trash a search looks at. The values are the protocol's numbers."""

    ACTIVE_ONLY = 1
    DELETED_ONLY = 2
    ALL = 3

    @classmethod
    def parse(cls, raw: str | int) -> View:
        """By the protocol's name or number; what it doesn't know is what is active, as with its own server."""
        text = str(raw).upper()
        for view in cls:
            if text in (view.name, str(view.value)):
                return view
        return cls.ACTIVE_ONLY


def in_view(rows: Rows, view: View) -> Rows:
    """`rows` on that side of the trash."""
    if view is View.ALL:
        return rows
    return rows.filter(deleted_ms__isnull=view is View.ACTIVE_ONLY)
