"""Token texts: `slw_<key id>_<secret>`. The key id finds the row, a keyed hash proves the secret."""

from __future__ import annotations

import hmac
import re
import secrets
from dataclasses import dataclass
from functools import cache

from django.conf import settings

PREFIX = "slw_"
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_FORM = re.compile(r"slw_(?P<key_id>[0-9A-Za-z]{12})_(?P<secret>[0-9A-Za-z]{40})")


@dataclass(frozen=True, slots=True)
class TokenText:
    """A token as its owner holds it."""

    key_id: str
    secret: str

    def __str__(self) -> str:
        return f"{PREFIX}{self.key_id}_{self.secret}"

    @classmethod
    def new(cls) -> TokenText:
        """Random: about 71 bits to find it by, 238 to prove it."""
        return cls(_random(12), _random(40))

    @classmethod
    def parse(cls, raw: str) -> TokenText | None:
        """None for what has not the form of a token."""
        match = _FORM.fullmatch(raw)
        return cls(match["key_id"], match["secret"]) if match else None

    def digest(self) -> str:
        """The keyed hash that is stored."""
        return _digest(self.secret, settings.SECRET_KEY)

    def matches(self, digest: str) -> bool:
        """Whether this is the token of `digest`, also under a key that was rotated away."""
        keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
        return any(hmac.compare_digest(_digest(self.secret, key), digest) for key in keys)


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def _digest(secret: str, key: str) -> str:
    return hmac.digest(_token_key(key), secret.encode(), "sha256").hex()


@cache
def _token_key(key: str) -> bytes:
    return hmac.digest(key.encode(), b"slipway.accounts.tokens", "sha256")
