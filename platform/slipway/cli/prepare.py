"""`slipway prepare`: the first thing in an installation by compose. Refuses secrets that are missing or weak.

Before anything else starts: a database keeps the password that it was made with.
"""

from __future__ import annotations

import argparse
import os
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

from slipway import env

_LEAST = {"SLIPWAY_SECRET_KEY": 32, "SLIPWAY_ADMIN_PASSWORD": 10}
# They become parts of addresses and of other programs' configurations.
_PLAIN = {"DATABASE_PASSWORD": 16, "REDIS_PASSWORD": 16, "AWS_SECRET_ACCESS_KEY": 16, "S3_ENCRYPTION_KEY": 32}
_LEAST_DIFFERENT = 6


def main(arguments: Sequence[str]) -> int:
    """Check, and make the folder for what is on its way. Raises `WrongSetting`."""
    argparse.ArgumentParser("slipway prepare", description="Check the secrets of an installation.").parse_args(
        arguments
    )
    for name, least in (_LEAST | _PLAIN).items():
        _check(name, least, is_plain=name in _PLAIN)
    if folder := os.environ.get("TMPDIR"):
        Path(folder).mkdir(mode=0o700, parents=True, exist_ok=True)
        tempfile.tempdir = None
    from django.conf import settings

    _ = settings.DEBUG  # whatever else is wrong is said here, too
    return 0


def _check(name: str, least: int, *, is_plain: bool) -> None:
    value = env.text(name)
    where = os.environ.get(f"{name}_FILE")
    said = f"{name} ({where})" if where else name
    if not value:
        raise env.WrongSetting(f"{said}: it is empty; `sh deploy/secrets.sh` makes what is missing.")
    if len(value) < least or len(set(value)) < _LEAST_DIFFERENT:
        raise env.WrongSetting(f"{said}: it is weak; at least {least} characters of a random kind are wanted.")
    if is_plain and not re.fullmatch(r"[A-Za-z0-9_-]+", value):
        raise env.WrongSetting(f"{said}: letters, digits, - and _ are wanted.")
