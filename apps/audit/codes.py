"""The register of event codes. An app declares its codes in `events.py`; an unknown one can't be recorded."""

from __future__ import annotations

from dataclasses import dataclass

_REGISTER: dict[str, EventCode] = {}


@dataclass(frozen=True, slots=True)
class EventCode:
    """`code` is `noun.verb`; `sentence` follows the actor's name on pages and may name {object}, {team} and {note}."""

    code: str
    sentence: str

    def __str__(self) -> str:
        return self.code

    @property
    def title(self) -> str:
        """The code as words, for lists to choose from: "Promotion request approved"."""
        return self.code.replace(".", " ").replace("_", " ").capitalize()


def declare(code: str, sentence: str) -> EventCode:
    """Declare a code once; a second declaration is a programming error."""
    if code in _REGISTER:
        raise ValueError(f"event code {code} is declared twice")
    _REGISTER[code] = EventCode(code, sentence)
    return _REGISTER[code]


def known_codes() -> dict[str, EventCode]:
    """All declared codes, by their text."""
    return dict(_REGISTER)
