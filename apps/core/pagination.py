"""Page tokens: signed, bound to the caller and the query, so that one can't be made up or used for another list."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import orjson
from django.core import signing

from apps.core.actor import Actor
from apps.core.errors import InvalidInput

_SALT = "slipway.page-token"
_MAX_TOKEN_LENGTH = 8_000

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of results, and the token of the next; None on the last."""

    items: Sequence[T]
    next_token: str | None


def query_fingerprint(actor: Actor, *parts: object) -> str:
    """What a token is bound to: the caller, the team and everything that shapes the list."""
    raw = orjson.dumps([actor.user_id, actor.team_id, parts], default=str)
    return hashlib.blake2b(raw, digest_size=12).hexdigest()


def encode_token(fingerprint: str, position: list[Any]) -> str:
    """A token that leads to `position` (JSON values) in the list of `fingerprint`."""
    return signing.dumps([fingerprint, position], salt=_SALT, compress=True)


def decode_token(fingerprint: str, token: str) -> list[Any]:
    """The position a token leads to. Raises `InvalidInput` for any that this server did not make for this list."""
    try:
        if len(token) > _MAX_TOKEN_LENGTH:
            raise signing.BadSignature
        bound, position = signing.loads(token, salt=_SALT)
    except (signing.BadSignature, ValueError, TypeError, UnicodeError) as error:
        raise InvalidInput("Invalid page token") from error
    if bound != fingerprint or not isinstance(position, list):
        raise InvalidInput("Invalid page token: it belongs to another query")
    return position
