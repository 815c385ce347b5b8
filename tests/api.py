"""Calls of `/api/v1/` as the personas."""

from __future__ import annotations

from typing import Any

from tests.personas import Persona


def call(who: Persona, method: str, path: str, body: Any = None, *, expect: int = 200, **headers: str) -> Any:
    """One call below `/api/v1/`; its JSON, or None for an empty answer."""
    response = who.request(method, f"/api/v1/{path}", body, **headers)
    assert response.status_code == expect, (response.status_code, response.content)
    return response.json() if response.content else None


def names(page: Any, field: str) -> list[Any]:
    """One field of each result of a page."""
    return [result[field] for result in page["results"]]
