from __future__ import annotations

import errno
import sqlite3
from typing import Any

import kombu.exceptions
import psycopg
import psycopg_pool
import pytest
from botocore.exceptions import EndpointConnectionError
from django import db
from django.test import Client
from redis.exceptions import ConnectionError as RedisConnectionError

from apps.core.errors import Conflict, InvalidInput, Unavailable
from apps.core.faults import fault_of
from tests.personas import People


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


UNAVAILABLE = {
    "the database": [
        caused(db.OperationalError("gone"), psycopg.OperationalError("gone")),
        caused(db.OperationalError("gone"), psycopg.errors.AdminShutdown("gone")),
        caused(db.InterfaceError("closed"), psycopg.InterfaceError("closed")),
        caused(db.OperationalError("couldn't get a connection"), psycopg_pool.PoolTimeout("none")),
        psycopg_pool.PoolTimeout("couldn't get a connection"),
        psycopg_pool.TooManyRequests("queue"),
        psycopg_pool.PoolClosed("closed"),
        psycopg.OperationalError("gone"),
        caused(db.OperationalError("timeout"), psycopg.errors.QueryCanceled("timeout")),
        caused(db.OperationalError("deadlock"), psycopg.errors.DeadlockDetected("deadlock")),
        caused(db.OperationalError("database is locked"), sqlite3.OperationalError("database is locked")),
        sqlite3.OperationalError("unable to open database file"),
        caused(db.OperationalError("disk I/O error"), sqlite3.OperationalError("disk I/O error")),
    ],
    "the disk": [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        caused(db.OperationalError("database or disk is full"), sqlite3.OperationalError("database or disk is full")),
        caused(db.OperationalError("no space"), psycopg.errors.DiskFull("no space")),
    ],
    "the broker": [RedisConnectionError("gone"), kombu.exceptions.OperationalError("gone")],
    "the artifact store": [EndpointConnectionError(endpoint_url="http://s3")],
}


@pytest.mark.parametrize(
    ("part", "exception"), [(part, exception) for part, many in UNAVAILABLE.items() for exception in many]
)
def test_a_part_that_is_away_is_named_and_worth_a_retry(part: str, exception: Exception) -> None:
    fault = fault_of(exception)
    assert isinstance(fault, Unavailable)
    assert part in fault.message.lower()
    assert int(fault.headers["Retry-After"]) >= 1


@pytest.mark.parametrize(
    "exception",
    [
        caused(db.DataError("out of range"), psycopg.errors.NumericValueOutOfRange("out of range")),
        psycopg.DataError("PostgreSQL text fields cannot contain NUL (0x00) bytes"),
        UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed"),
        caused(db.OperationalError("too many SQL variables"), sqlite3.OperationalError("too many SQL variables")),
    ],
)
def test_a_value_that_a_database_cannot_take_is_the_callers(exception: Exception) -> None:
    assert isinstance(fault_of(exception), InvalidInput)


@pytest.mark.parametrize(
    "exception",
    [
        caused(db.IntegrityError("x"), psycopg.errors.ForeignKeyViolation("x")),
        caused(db.IntegrityError("FOREIGN KEY constraint failed"), sqlite3.IntegrityError("x")),
    ],
)
def test_a_write_below_what_was_just_removed_is_a_conflict(exception: Exception) -> None:
    assert isinstance(fault_of(exception), Conflict)


@pytest.mark.parametrize(
    "exception",
    [
        ValueError("bug"),
        OSError(errno.ENOENT, "no such file"),
        caused(db.OperationalError("no such column: x"), sqlite3.OperationalError("no such column: x")),
        caused(db.ProgrammingError("no such column"), psycopg.errors.UndefinedColumn("x")),
        caused(db.IntegrityError("unique"), psycopg.errors.UniqueViolation("x")),
    ],
)
def test_a_bug_stays_a_bug(exception: Exception) -> None:
    assert fault_of(exception) is None


def _away(*args: Any, **kwargs: Any) -> Any:
    raise caused(db.OperationalError("connection refused at 10.1.2.3"), psycopg.OperationalError("refused"))


def test_the_api_answers_503_while_the_database_is_away(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.experiments.access.get_run", _away)
    response = people.ada.request("GET", "/api/2.0/mlflow/runs/get", {"run_id": "0" * 32})
    assert (response.status_code, response["Retry-After"]) == (503, "2")
    assert response.json() == {"error_code": "TEMPORARILY_UNAVAILABLE", "message": "The database does not answer."}


@pytest.mark.parametrize("place", ["apps.accounts.authentication.actor_of_user", "apps.accounts.middleware.enforce"])
def test_a_page_answers_503_while_the_database_is_away(
    people: People, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    browser = people.ada.browser()
    browser.raise_request_exception = False
    monkeypatch.setattr(place, _away)
    response = browser.get("/audit/")
    assert (response.status_code, response["Retry-After"]) == (503, "2")
    assert "The database does not answer." in response.content.decode()
    assert "10.1.2.3" not in response.content.decode()


def test_a_bug_is_answered_without_a_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    def bug(*args: Any) -> Any:
        raise ValueError("secret detail")

    monkeypatch.setattr("apps.core.checks.run_checks", bug)
    monkeypatch.setattr("apps.accounts.authentication.actor_of_header", bug)
    client = Client(raise_request_exception=False)
    page = client.get("/health")
    call = client.get("/api/2.0/mlflow/runs/get", headers={"Authorization": "Bearer x"})
    assert (page.status_code, call.status_code) == (500, 500)
    assert call.json()["error_code"] == "INTERNAL_ERROR"
    assert "secret" not in page.content.decode() + call.content.decode()
