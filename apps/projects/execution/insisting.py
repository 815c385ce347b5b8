"""What has to be written down is, also where the database is away for a while."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import InterfaceError, OperationalError, close_old_connections

logger = logging.getLogger(__name__)

T = TypeVar("T")
_LONGEST_REST = 2.0


def insist(work: Callable[[], T], what: str) -> T:
    """Do it until the database takes it or refuses it; `what` names it in the log.

    A run that ended must not be done again because nobody could write down that it had. It goes on for as long as the
    process lives: the run's fence tells when it is no use any more.
    """
    rest = 0.1
    while True:
        try:
            return work()
        except (OperationalError, InterfaceError) as error:
            logger.warning("%s is tried again: %s", what, error)
            close_old_connections()
        time.sleep(rest)
        rest = min(rest * 2, _LONGEST_REST)
