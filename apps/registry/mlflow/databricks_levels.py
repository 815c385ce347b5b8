"""Levels of registered models in Databricks' words, and back."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from apps.accounts.kinds import LEVEL_WORDS
from apps.core.actor import Level
from apps.core.errors import InvalidInput

_NAMES = {
    Level.READ: "CAN_READ",
    Level.EDIT: "CAN_EDIT",
    Level.STAGING: "CAN_MANAGE_STAGING_VERSIONS",
    Level.PRODUCTION: "CAN_MANAGE_PRODUCTION_VERSIONS",
    Level.MANAGE: "CAN_MANAGE",
}


def level_name(level: Level) -> str:
    """How clients call a level; there is no word for none at all."""
    return _NAMES[level]


def parse_level(name: str) -> Level:
    """A level out of its name. Raises `InvalidInput`."""
    for level, known in _NAMES.items():
        if known == name:
            return level
    raise InvalidInput(f"Invalid permission level '{name[:100]}'. Valid levels are: {', '.join(_NAMES.values())}.")


def described_levels() -> list[dict[str, Any]]:
    """All levels, weakest first, with what each lets one do."""
    words = {Level.READ: _("read, and ask for transitions")}
    return [
        {"permission_level": name, "description": str(words.get(level, LEVEL_WORDS[level]))}
        for level, name in _NAMES.items()
    ]
