"""The site's key (SLIPWAY_SECRET_KEY) and a backup: whether both belong together, and what goes along."""

from __future__ import annotations

import hmac
import os
from pathlib import Path

from slipway import env
from slipway.backup.failures import Refused
from slipway.backup.manifest import Manifest
from slipway.paths import DataFolder


def check_of(key: str) -> str:
    """By this a key is known again. It tells no more of it than the hashes in the audit log do."""
    return hmac.digest(key.encode(), b"slipway.backup.key", "sha256").hex()[:32]


def of_folder(data: DataFolder) -> str:
    """The key that was made at the first start and lies in the data folder; empty where the operator keeps one."""
    if env.text("SLIPWAY_SECRET_KEY") or not data.secret_key.exists():
        return ""
    return data.secret_key.read_text().strip()


def take_over(data: DataFolder, manifest: Manifest) -> Path | None:
    """Make sure that what the backup was keyed with is the key here. Before settings are read: they would make one.

    The file, where one was made of what the backup brought along.
    Raises `Refused` where it isn't, and the backup doesn't bring it along.
    """
    given = env.text("SLIPWAY_SECRET_KEY") or of_folder(data)
    known = [given, *env.words("SLIPWAY_SECRET_KEY_FALLBACKS")] if given else []
    if manifest.key_check in map(check_of, known):
        return None
    if given:
        raise Refused(_other(data))
    if not manifest.secret_key:
        raise Refused(
            "The key of this backup is not in it: set SLIPWAY_SECRET_KEY to the one that was used when it was made, "
            f"or put its file secret_key at {data.secret_key}. If it is lost: --without-key."
        )
    data.make()
    with os.fdopen(os.open(data.secret_key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(manifest.secret_key)
    return data.secret_key


def _other(data: DataFolder) -> str:
    what = "This installation has another key than the backup: "
    if env.text("SLIPWAY_SECRET_KEY"):
        return f"{what}set SLIPWAY_SECRET_KEY to the one that was saved, or list that in SLIPWAY_SECRET_KEY_FALLBACKS."
    return f"{what}put the saved one into {data.secret_key}, or remove that file if nothing was kept with it yet."
