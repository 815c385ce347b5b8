"""The register of topics: what people may want to hear of, or not. An app declares its topics where it publishes."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise

_REGISTER: dict[str, Topic] = {}


@dataclass(frozen=True, slots=True)
class Topic:
    """`title` names it on the page of preferences; `default`: whether whom it concerns hears of it without asking."""

    code: str
    title: str | Promise
    default: bool = True

    def __str__(self) -> str:
        return self.code


def declare_topic(code: str, title: str | Promise, *, default: bool = True) -> Topic:
    """Declare a topic once; a second declaration is a programming error."""
    if code in _REGISTER:
        raise ValueError(f"topic {code} is declared twice")
    _REGISTER[code] = Topic(code, title, default)
    return _REGISTER[code]


def known_topics() -> dict[str, Topic]:
    """All declared topics, by their code."""
    return dict(_REGISTER)
