"""Slow work beside a loop: each thing once at a time, in threads, whose faults end in the log and not the loop."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor

from django.db import Error as AnyDatabaseError
from django.db import close_old_connections

from apps.core.context import RequestContext, entered, new_request_id
from apps.core.errors import DomainError

logger = logging.getLogger(__name__)


class Errands:
    """`done` is called after each that is not `quiet`, from its thread."""

    def __init__(self, name: str, threads: int, done: Callable[[], None]) -> None:
        self._pool = ThreadPoolExecutor(threads, name)
        self._done = done
        self._lock = threading.Lock()
        self._going: dict[Hashable, Future[None]] = {}

    def send(self, key: Hashable, work: Callable[[], object], *, quiet: bool = False) -> bool:
        """Do it soon; False where what has that key goes on still. `quiet`: nobody has to look anew because of it."""
        with self._lock:
            known = self._going.get(key)
            if known is not None and not known.done():
                return False
            self._going = {one: future for one, future in self._going.items() if not future.done()}
            self._going[key] = self._pool.submit(self._do, key, work, quiet)
        return True

    def is_going_on(self, key: Hashable) -> bool:
        """Whether it waits or is done now."""
        with self._lock:
            known = self._going.get(key)
            return known is not None and not known.done()

    def close(self) -> None:
        """Begin nothing more; what goes on goes on."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _do(self, key: Hashable, work: Callable[[], object], quiet: bool) -> None:
        tried(str(key), work)
        if not quiet:
            self._done()


def tried(what: str, work: Callable[[], object]) -> bool:
    """Whether it went well. In a context of its own; faults are logged. A loop outlives any of them."""
    try:
        with entered(RequestContext(request_id=new_request_id())):
            work()
        return True
    except DomainError as error:
        logger.warning("%s: %s", what, error.message)
    except AnyDatabaseError as error:
        logger.warning("%s: the database is away or refuses: %s", what, error)
    except Exception:
        logger.exception("%s failed", what)
    finally:
        close_old_connections()
    return False
