"""The pages of what events are about. An app says in `events.py` where its objects are seen."""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import quote

from django.urls import Resolver404, resolve

_PAGES: dict[str, str] = {}


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
    try:
        resolve(pattern.format(id="1" * 32, name="name"))
    except Resolver404:
        return False
    return True
