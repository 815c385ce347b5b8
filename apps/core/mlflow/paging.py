"""Pages by primary key, for lists of the protocol that have no order of their own."""

from __future__ import annotations

from typing import Any, TypeVar

from django.db.models import Model, QuerySet

from apps.core.actor import Actor
from apps.core.errors import InvalidInput
from apps.core.pagination import Page, decode_token, encode_token, query_fingerprint

M = TypeVar("M", bound=Model)
MOST = 1000


def page_of(
    actor: Actor, found: QuerySet[M], size: int, token: str, *list_of: object, newest_first: bool = False
) -> Page[M]:
    """One page by primary key; a token belongs to the list that `list_of` names. Raises `InvalidInput`."""
    if not 1 <= size <= MOST:
        raise InvalidInput(f"Invalid value {size} for parameter 'max_results' supplied: it must be from 1 to {MOST}.")
    fingerprint = query_fingerprint(actor, *list_of)
    if token:
        last = decode_token(fingerprint, token)[0]
        found = found.filter(pk__lt=last) if newest_first else found.filter(pk__gt=last)
    rows = list(found.order_by("-pk" if newest_first else "pk")[: size + 1])
    more = len(rows) > size
    return Page(rows[:size], encode_token(fingerprint, [rows[size - 1].pk]) if more else None)


def next_page(page: Page[Any]) -> dict[str, str]:
    """The token of the next page, where there is one."""
    return {"next_page_token": page.next_token} if page.next_token else {}
