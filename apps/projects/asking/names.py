"""What names of projects may be."""

from __future__ import annotations

import re

from apps.core.errors import InvalidInput

MAX_NAME = 100
MAX_DESCRIPTION = 10_000
_NAME = re.compile(r"[^\W_](?:[\w .()+-]*[\w)+])?")


def check_project_name(name: str) -> None:
    """Raise `InvalidInput` for a name that can't stand in addresses and commands."""
    if len(name) > MAX_NAME or not _NAME.fullmatch(name):
        raise InvalidInput(
            f"A project's name has up to {MAX_NAME} letters, digits, spaces and . _ ( ) + -, "
            "and begins with a letter or digit."
        )
