"""The pages of what events are about. An app says in `events.py` where its objects are seen."""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import quote

from django.urls import Resolver404, resolve

_PAGES: dict[str, str] = {}
# Ids as our kinds have them: digits or letters of hexadecimal numbers, or UUIDs.
_SAMPLE_IDS = ("1" * 32, "-".join("1" * length for length in (8, 4, 4, 4, 12)))


def declare_page(kind: str, path: str) -> None:
    """`path` has `{id}` or `{name}` where the object's goes: `/experiments/{id}/`."""
    _PAGES[kind] = path


def page_of(kind: str, object_id: str, name: str) -> str:
    """The path of the object's page; empty where its kind has none on this site."""
    pattern = _PAGES.get(kind, "")
    if not pattern or not _is_served(pattern):
        return ""
    return pattern.format(id=quote(object_id, safe=""), name=quote(name, safe=""))


def known_kinds() -> list[str]:
    """The kinds that have pages."""
    return sorted(_PAGES)


@lru_cache(maxsize=64)
def _is_served(pattern: str) -> bool:
    return any(_resolves(pattern.format(id=sample, name="name")) for sample in _SAMPLE_IDS)


def _resolves(path: str) -> bool:
    try:
        resolve(path)
    except Resolver404:
        return False
    return True
