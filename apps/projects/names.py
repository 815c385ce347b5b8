"""What names of projects and variables may be."""

from __future__ import annotations

import re
from collections.abc import Mapping

from apps.core.errors import InvalidInput

MAX_NAME = 100
MAX_DESCRIPTION = 10_000
_MAX_VALUE = 10_000
_MAX_VARIABLES = 100
_NAME = re.compile(r"[^\W_](?:[\w .()+-]*[\w)+])?")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
# What Slipway, the loader and the interpreter read is not a run's to set.
_RESERVED = ("MLFLOW_", "SLIPWAY_", "LD_", "PYTHONPATH")


def check_project_name(name: str) -> None:
    """Raise `InvalidInput` for a name that can't stand in addresses and commands."""
    if len(name) > MAX_NAME or not _NAME.fullmatch(name):
        raise InvalidInput(
            f"A project's name has up to {MAX_NAME} letters, digits, spaces and . _ ( ) + -, "
            "and begins with a letter or digit."
        )


def check_variables(variables: Mapping[str, str]) -> None:
    """Raise `InvalidInput` for environment variables that nobody may set, or too many of them."""
    if len(variables) > _MAX_VARIABLES:
        raise InvalidInput(f"At most {_MAX_VARIABLES} variables.")
    for name, value in variables.items():
        if not _VARIABLE.fullmatch(name):
            raise InvalidInput(f"'{name[:100]}' can't be the name of a variable.")
        if name.upper().startswith(_RESERVED):
            raise InvalidInput(f"{name} is not a project's to set.")
        if len(value) > _MAX_VALUE or "\x00" in value:
            raise InvalidInput(f"The value of {name} is too long, or holds a character that can't be kept.")
