"""Why a backup or restore did not happen, in one line each."""

from __future__ import annotations


class BackupError(Exception):
    """It failed on the way; the message says what of it is left."""

    code = 1

    def __init__(self, message: str, code: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.code


class Refused(BackupError):
    """It was not begun: nothing was changed."""

    code = 2


class Damaged(BackupError):
    """The archive is not what was written."""
