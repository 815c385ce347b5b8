from __future__ import annotations

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from apps.audit.models import Event, Seal
from apps.audit.sealing import seal_pending
from tests.audit.test_chain import make_event

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_event SET note = 'x'",
        "DELETE FROM audit_event",
        "UPDATE audit_seal SET digest = 'x'",
        "DELETE FROM audit_seal",
    ],
)
def test_the_database_refuses_to_change_what_is_written(statement: str) -> None:
    make_event()
    seal_pending()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert (Event.objects.filter(note="").count(), Seal.objects.count()) == (1, 1)


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="TRUNCATE is PostgreSQL's")
@pytest.mark.parametrize("table", ["audit_event", "audit_seal"])
def test_the_database_refuses_to_truncate(table: str) -> None:
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {table}")


def test_the_model_refuses_too() -> None:
    event = make_event()
    with pytest.raises(TypeError):
        event.save()
    with pytest.raises(TypeError):
        event.delete()


def test_tests_that_commit_can_clean_up(transactional_db: None) -> None:
    make_event()
    call_command("flush", interactive=False, verbosity=0)
    assert not Event.objects.exists()
    make_event()
    with pytest.raises(DatabaseError, match="append-only"):
        Event.objects.update(note="x")
