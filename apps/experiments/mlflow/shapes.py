"""Pieces that several of the protocol's requests share."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from apps.experiments.actions import Pair


class Tag(msgspec.Struct):
    """A key and a value, of a tag or a param."""

    key: str
    value: str = ""


def shown_tags(pairs: Iterable[Pair]) -> list[dict[str, str]]:
    """Pairs in the protocol's shape."""
    return [{"key": key, "value": value} for key, value in pairs]


def pairs(tags: Iterable[Tag]) -> list[Pair]:
    """`(key, value)` of each."""
    return [(tag.key, tag.value) for tag in tags]
