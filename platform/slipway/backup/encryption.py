"""An archive under a passphrase: AES-256-GCM in chunks of a megabyte, each with its number and whether it is the last.

This is the STREAM construction (Hoang, Reyhanitabar, Rogaway, Vizár 2015), which age and Tink use too. Chunks can't be
changed, swapped, repeated or cut off, and each can be read alone. The key is made of the passphrase and a salt by
scrypt, anew for each archive, so that no number is ever used twice with a key.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from slipway.backup.failures import Damaged, Refused
from slipway.backup.media import Medium, Sink

CHUNK = 1024 * 1024
_TAG = 16
_LOG2_N, _R, _P = 17, 8, 1
# What an archive may ask of memory before it is known to be one of ours: 1 GiB.
_MOST_LOG2_N = 20


class Lock(msgspec.Struct, frozen=True):
    """How the key is made, as the archive's head says it. `check` shows a wrong passphrase, and nothing of the key."""

    salt: str
    log2_n: int
    check: str


@dataclass(frozen=True, slots=True)
class Keys:
    """What one archive is locked with."""

    lock: Lock
    cipher: AESGCM


def new_keys(passphrase: bytes) -> Keys:
    """Keys for a new archive."""
    salt = secrets.token_bytes(16)
    key, check = _derive(passphrase, salt, _LOG2_N)
    return Keys(Lock(salt.hex(), _LOG2_N, check.hex()), AESGCM(key))


def keys_of(lock: Lock, passphrase: bytes) -> Keys:
    """The keys of an archive. Raises `Refused` for another passphrase than it was locked with."""
    if not 10 <= lock.log2_n <= _MOST_LOG2_N:
        raise Damaged("The archive's head is damaged: it says how to make its key in a way that none of ours does.")
    try:
        key, check = _derive(passphrase, bytes.fromhex(lock.salt), lock.log2_n)
    except ValueError as error:
        raise Damaged("The archive's head is damaged.") from error
    if not hmac.compare_digest(check.hex(), lock.check):
        raise Refused("This is not the passphrase of the backup.")
    return Keys(lock, AESGCM(key))


class LockedSink:
    """Encrypts what is written to another sink. `bound` is what the chunks are bound to: the archive's head."""

    def __init__(self, inner: Sink, keys: Keys, bound: bytes) -> None:
        self._inner, self._cipher, self._bound = inner, keys.cipher, bound
        self._waiting, self._number = bytearray(), 0

    def write(self, data: bytes) -> None:
        self._waiting += data
        # The last chunk says that it is the last, so a whole one waits until there is more.
        while len(self._waiting) > CHUNK:
            self._send(bytes(self._waiting[:CHUNK]), last=False)
            del self._waiting[:CHUNK]

    def finish(self) -> None:
        self._send(bytes(self._waiting), last=True)
        self._inner.finish()

    def abandon(self) -> None:
        self._inner.abandon()

    def _send(self, chunk: bytes, *, last: bool) -> None:
        self._inner.write(self._cipher.encrypt(_nonce(self._number, last), chunk, self._bound))
        self._number += 1


class LockedMedium:
    """What lies behind the head of an encrypted archive, in the clear."""

    def __init__(self, inner: Medium, begin: int, keys: Keys, bound: bytes) -> None:
        self.name = inner.name
        self._inner, self._begin, self._cipher, self._bound = inner, begin, keys.cipher, bound
        whole, rest = divmod(inner.size - begin, CHUNK + _TAG)
        self.size = whole * CHUNK + max(0, rest - _TAG)
        self._last = whole if rest else whole - 1
        self._known: tuple[int, bytes] = (-1, b"")

    def read_at(self, offset: int, size: int) -> bytes:
        found = bytearray()
        end = min(offset + size, self.size)
        while offset < end:
            number, at = divmod(offset, CHUNK)
            piece = self._chunk(number)[at : at + end - offset]
            found += piece
            offset += len(piece)
        return bytes(found)

    def _chunk(self, number: int) -> bytes:
        if self._known[0] != number:
            sealed = self._inner.read_at(self._begin + number * (CHUNK + _TAG), CHUNK + _TAG)
            try:
                plain = self._cipher.decrypt(_nonce(number, number == self._last), sealed, self._bound)
            except (InvalidTag, ValueError) as error:
                raise Damaged(f"{self.name} is damaged or cut off, and can't be decrypted.") from error
            self._known = (number, plain)
        return self._known[1]


def _nonce(number: int, last: bool) -> bytes:
    return number.to_bytes(11, "big") + (b"\x01" if last else b"\x00")


def _derive(passphrase: bytes, salt: bytes, log2_n: int) -> tuple[bytes, bytes]:
    made = Scrypt(salt=salt, length=48, n=2**log2_n, r=_R, p=_P).derive(passphrase)
    return made[:32], made[32:]
