"""What `slipway backup` and `slipway restore` have in common."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable
from pathlib import Path

_LEAST_PASSPHRASE = 12


def begin() -> None:
    """Being asked to end is like Ctrl-C: what was begun is put away."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def told(work: Callable[[], int]) -> int:
    """Do the work; what goes wrong is one line on standard error, and an exit code."""
    try:
        return work()
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - what is not foreseen is raised again
        message, code = said_of(error)
        sys.stderr.write(f"slipway: {message}\n")
        return code


def said_of(error: BaseException) -> tuple[str, int]:
    """What went wrong, for the person who started it, and the exit code. What can't be foreseen is raised again."""
    import sqlite3

    from botocore.exceptions import BotoCoreError, ClientError
    from django.db import DatabaseError

    from slipway.backup.failures import BackupError

    match error:
        case BackupError():
            return error.message, error.code
        case ClientError():
            said = error.response.get("Error", {})
            return f"S3 refuses {error.operation_name}: {said.get('Code')} {said.get('Message', '')}".rstrip(), 1
        case BotoCoreError() | DatabaseError() | sqlite3.Error():
            return str(error).strip().partition("\n")[0], 1
        case OSError():
            return f"{error.strerror or error}{f' ({error.filename})' if error.filename else ''}.", 1
        case KeyboardInterrupt():
            return "stopped.", 130
    raise error


def passphrase_of(file: str | None) -> bytes | None:
    """The first line of the file. Raises `Refused` for one that can't be a passphrase."""
    from slipway.backup.failures import Refused

    if file is None:
        return None
    try:
        found = (Path(file).expanduser().read_bytes().splitlines() or [b""])[0].strip()
    except OSError as error:
        raise Refused(f"--passphrase-file: {file} can't be read ({error.strerror}).") from error
    if len(found) < _LEAST_PASSPHRASE:
        raise Refused(f"--passphrase-file: at least {_LEAST_PASSPHRASE} characters are wanted.")
    return found


def add_endpoint(parser: argparse.ArgumentParser) -> None:
    """Where the buckets of archives are."""
    parser.add_argument(
        "--s3-endpoint", metavar="URL", help="of the archive's bucket, where that is not SLIPWAY_S3_ENDPOINT_URL"
    )


def size(count: int) -> str:
    """Bytes as people read them."""
    amount, unit = float(count), "B"
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if amount < 1024 or unit == "TiB":
            break
        amount /= 1024
    return f"{amount:.0f} B" if unit == "B" else f"{amount:.1f} {unit}"
