"""Secrets that have to be read again are kept sealed: with a key derived from the site's, which can be changed.

What older keys sealed (`SLIPWAY_SECRET_KEY_FALLBACKS`) is still opened; whatever is written is sealed with the newest.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from apps.core.errors import Conflict

_PURPOSE = b"slipway.sealed-secrets.v1"


def seal(text: str) -> str:
    """The sealed form of a secret; an empty one stays empty."""
    return _keys().encrypt(text.encode()).decode() if text else ""


def unseal(sealed: str) -> str:
    """The secret in the clear. Raises `Conflict` where no key of this server sealed it."""
    if not sealed:
        return ""
    try:
        return _keys().decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        message = "A secret can't be read: it was sealed with a key that SLIPWAY_SECRET_KEY_FALLBACKS does not list."
        raise Conflict(message) from error


@dataclass(frozen=True, slots=True)
class Resealed:
    """How many rows were sealed anew, and the names of those that no key of this server opens, which stay."""

    count: int
    unreadable: tuple[str, ...] = ()


def reseal_rows(rows: QuerySet[Any], *columns: str) -> Resealed:
    """Seal columns with the newest key, each row in a transaction of its own: it may be stopped and begun again."""
    count, unreadable = 0, []
    for pk in list(rows.order_by("pk").values_list("pk", flat=True)):
        with transaction.atomic():
            row = rows.select_for_update().filter(pk=pk).first()
            if row is None:
                continue
            try:
                fresh = {column: seal(unseal(getattr(row, column))) for column in columns}
            except Conflict:
                unreadable.append(str(row))
                continue
            count += rows.filter(pk=pk).update(**fresh)
    return Resealed(count, tuple(unreadable))


def _keys() -> MultiFernet:
    return _keys_of((settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS))


@lru_cache(maxsize=4)
def _keys_of(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(_derive(key)) for key in keys])


def _derive(key: str) -> bytes:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(key.encode())
    return base64.urlsafe_b64encode(derived)
