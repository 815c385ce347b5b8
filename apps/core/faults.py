"""Errors of the parts we stand on (database, broker, disk, object store), in words for callers.

What will pass by itself is `Unavailable`: clients wait and try again. A value that a database can't take is the
caller's. Anything else is a bug and stays one: it is logged with its trace and answered as such.
"""

from __future__ import annotations

import errno
import logging
import sqlite3

import django.db
import psycopg
from redis.exceptions import RedisError

from apps.core.errors import Conflict, DomainError, InvalidInput, Unavailable

logger = logging.getLogger(__name__)

_DISK_FULL = {errno.ENOSPC, errno.EDQUOT}
_LONG = 30

# What SQLite says (without codes before Python 3.11's `sqlite_errorcode`, which Django's copy of the error lacks).
_SQLITE_BUSY = ("database is locked", "database table is locked", "database schema is locked")
_SQLITE_FULL = ("database or disk is full",)
_SQLITE_TOO_MUCH = ("too many sql variables", "expression tree is too large", "string or blob too big")
_SQLITE_AWAY = ("unable to open database file", "disk i/o error", "attempt to write a readonly database")


def fault_of(exception: BaseException) -> DomainError | None:
    """The error to answer with, or None for what is none of a part's faults."""
    fault = _fault(exception)
    if isinstance(fault, Unavailable):
        logger.error("%s: %s", type(exception).__name__, exception)
    return fault


def _fault(exception: BaseException) -> DomainError | None:
    match exception:
        case OSError() if exception.errno in _DISK_FULL:
            return _disk_full()
        case django.db.DataError() | psycopg.DataError():
            return InvalidInput("A value is outside of what can be stored.")
        case UnicodeEncodeError() if exception.reason == "surrogates not allowed":
            return InvalidInput("Text must be valid Unicode.")
        case django.db.Error() | psycopg.Error() | sqlite3.Error():
            return _of_database(exception)
        case RedisError():
            return Unavailable("The broker does not answer.")
        case _:
            return _of_module(exception)


def _of_database(exception: Exception) -> DomainError | None:
    cause = exception.__cause__ or exception
    if isinstance(cause, sqlite3.Error):
        return _of_sqlite(str(exception).lower())
    if isinstance(cause, psycopg.errors.ForeignKeyViolation):
        return _removed_meanwhile()
    if isinstance(cause, psycopg.errors.DiskFull):
        return _disk_full()
    if isinstance(cause, (psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure)):
        return Unavailable("The database is busy.")
    if isinstance(cause, (psycopg.errors.QueryCanceled, psycopg.errors.LockNotAvailable)):
        return Unavailable("The database took too long.", retry_after=_LONG)
    # A pool that has no connection to give raises one of these too.
    if isinstance(exception, (django.db.OperationalError, django.db.InterfaceError)) or isinstance(
        cause, (psycopg.OperationalError, psycopg.InterfaceError)
    ):
        return Unavailable("The database does not answer.")
    return None


def _of_sqlite(message: str) -> DomainError | None:
    if any(text in message for text in _SQLITE_BUSY):
        return Unavailable("The database is busy.")
    if any(text in message for text in _SQLITE_FULL):
        return _disk_full()
    if any(text in message for text in _SQLITE_AWAY):
        return Unavailable("The database does not answer.")
    if any(text in message for text in _SQLITE_TOO_MUCH):
        return InvalidInput("The call names too much at once.")
    if "foreign key constraint failed" in message:
        return _removed_meanwhile()
    return None


def _removed_meanwhile() -> Conflict:
    return Conflict("What this call writes to was removed at the same moment.")


def _of_module(exception: BaseException) -> DomainError | None:
    """By name: loading Celery's and boto's machinery into every process would cost more than it says."""
    for kind in type(exception).__mro__:
        name = f"{kind.__module__}.{kind.__name__}"
        if name == "kombu.exceptions.OperationalError":
            return Unavailable("The broker does not answer.")
        if name in ("botocore.exceptions.BotoCoreError", "botocore.exceptions.ClientError"):
            return Unavailable("The artifact store does not answer.")
    return None


def _disk_full() -> Unavailable:
    return Unavailable("The disk of the server is full.", retry_after=_LONG)
