"""The hashes of the audit log: a proof in each event, and the digests that chain the sealed ones.

Two keyed hashes (HMAC-SHA256; the keys come from `SECRET_KEY`, which the database doesn't know):

- *proof*, made when an action records an event, over all that the event says and 64 random bits. Somebody who can
  write to the database but has no key can't insert an event; a copied row meets the unique column.
- *digest*, made when the event is sealed, over all its columns, its place in the chain and the digest before it.
  A row that was changed, moved or taken out of the chain no longer fits.

After a rotation, hashes under `SECRET_KEY_FALLBACKS` still count.
"""

from __future__ import annotations

import hmac
import ipaddress
import json
import math
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache
from typing import Any

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder

from apps.audit.models import Event

# The hashes cover these, in this order, for ever: a column that is added later needs a new version of the form.
SAID = (
    "created_at",
    "code",
    "actor_id",
    "actor_name",
    "via",
    "token_id",
    "request_id",
    "ip",
    "team_id",
    "team_name",
    "object_kind",
    "object_id",
    "object_name",
    "before",
    "after",
    "note",
)
GENESIS = "0" * 64
_NONCE_LENGTH = 16
_PROOF_LENGTH = 64
_EXACT_INTEGERS = 2**53


def make_proof(event: Event) -> str:
    """64 hex digits: a random nonce of 16, and 48 of the hash over it and what the event says."""
    nonce = secrets.token_hex(_NONCE_LENGTH // 2)
    return _proof(event, nonce, settings.SECRET_KEY)


def has_proof(event: Event) -> bool:
    """Whether the event was recorded by a holder of a key, and says what it said then."""
    nonce = event.proof[:_NONCE_LENGTH]
    return _is_one_of(event.proof, (_proof(event, nonce, key) for key in _secret_keys()))


def make_digest(event: Event, sequence: int, before: str) -> str:
    """64 hex digits: the event at place `sequence` of the chain, after the digest `before`."""
    return _digest(event, sequence, before, settings.SECRET_KEY)


def fits(digest: str, event: Event, sequence: int, before: str) -> bool:
    """Whether `digest` is that of the event at this place, also under a key that was rotated away."""
    return _is_one_of(digest, (_digest(event, sequence, before, key) for key in _secret_keys()))


def canonical(values: Iterable[Any]) -> bytes:
    """One byte string for equal values, whichever database they were read from."""
    plain = [_plain(value) for value in values]
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()


def _proof(event: Event, nonce: str, secret: str) -> str:
    mac = hmac.digest(_key(secret, b"slipway.audit.proof"), canonical([nonce, *_said(event)]), "sha256").hex()
    return (nonce + mac)[:_PROOF_LENGTH]


def _digest(event: Event, sequence: int, before: str, secret: str) -> str:
    text = canonical([before, sequence, event.pk, event.proof, *_said(event)])
    return hmac.digest(_key(secret, b"slipway.audit.chain"), text, "sha256").hex()


def _said(event: Event) -> Iterable[Any]:
    for name in SAID:
        value = getattr(event, name)
        # As the database will give it back: dates and decimals in JSON are text from then on.
        is_json = name in ("before", "after") and value is not None
        yield json.loads(json.dumps(value, cls=DjangoJSONEncoder)) if is_json else _text_of(name, value)


def _text_of(name: str, value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if name == "ip" and value:
        return ipaddress.ip_address(value).packed.hex()
    return value


def _plain(value: Any) -> Any:
    """Numbers in one form: SQLite keeps 1e22 as a float, PostgreSQL as an integer of 23 digits."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return value
    if isinstance(value, float) and not math.isfinite(value):
        return repr(value)
    if abs(value) < _EXACT_INTEGERS:
        return int(value) if value == int(value) else value
    try:
        return repr(float(value))
    except OverflowError:
        return str(value)


def _is_one_of(found: str, wanted: Iterable[str]) -> bool:
    return any(hmac.compare_digest(found.encode(), each.encode()) for each in wanted)


def _secret_keys() -> list[str]:
    return [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]


@cache
def _key(secret: str, purpose: bytes) -> bytes:
    return hmac.digest(secret.encode(), purpose, "sha256")
