"""The chain's newest head, kept outside of the database: in the log, and in a file of the data folder.

Who cuts off the end of the chain leaves a shorter chain that is whole; only something outside of it shows the loss.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from django.conf import settings
from django.db import connection

from apps.audit.models import Seal
from apps.core.errors import InvalidInput

logger = logging.getLogger("slipway.audit.head")

_FORM = re.compile(r"(?P<sequence>[1-9]\d{0,17}):(?P<digest>[0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Head:
    """The last place of the chain at some time, written `SEQUENCE:DIGEST`."""

    sequence: int
    digest: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises `InvalidInput` for anything not of the form."""
        match = _FORM.fullmatch(text.strip())
        if match is None:
            raise InvalidInput("A head is written SEQUENCE:DIGEST, as the log of slipway.audit.head shows it.")
        return cls(int(match["sequence"]), match["digest"])

    def __str__(self) -> str:
        return f"{self.sequence}:{self.digest}"


def publish(head: Head) -> None:
    """Log the head and keep it in the file, unless the one kept there is no longer in the chain: that is evidence.

    A file that can't be written is a warning: the chain itself is safe.
    """
    logger.info("head %s", head)
    if (file := _file()) is None:
        return
    try:
        kept = kept_head()
        if kept is not None and not is_in_chain(kept):
            logger.error("the chain no longer holds the head %s, which stays in the data folder", kept)
            return
        draft = file.with_name(f".{file.name}.{os.getpid()}")
        draft.write_text(f"{head}\n")
        draft.replace(file)
    except InvalidInput:
        logger.error("the file of the head in the data folder says something else; it stays as it is")
    except OSError as error:
        logger.warning("the head could not be kept in the data folder: %s", error.strerror)


def is_in_chain(head: Head) -> bool:
    """Whether the chain still has this seal at this place."""
    return Seal.objects.filter(sequence=head.sequence, digest=head.digest).exists()


def kept_head() -> Head | None:
    """The head in the file; None where there is none.

    After a restore of an older backup the file has to go too: it tells of events that the backup lacks. Raises
    `InvalidInput` for a file that says something else.
    """
    file = _file()
    if file is None or not file.exists():
        return None
    return Head.parse(file.read_text())


def _file() -> Path | None:
    """One file for each database, so that a second database in the same data folder is no false alarm."""
    folder: Path | None = settings.AUDIT_HEADS
    if folder is None:
        return None
    if connection.vendor == "sqlite":
        return folder / "audit_head"
    place = "/".join(str(connection.settings_dict[part]) for part in ("HOST", "PORT", "NAME"))
    return folder / f"audit_head_{hashlib.blake2b(place.encode(), digest_size=6).hexdigest()}"
