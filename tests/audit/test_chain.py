from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import override_settings

from apps.audit import chain
from apps.audit.actions import Subject, record
from apps.audit.codes import declare
from apps.audit.heads import Head
from apps.audit.models import Event, Seal
from apps.audit.sealing import newest_head, seal_pending
from apps.audit.verification import Fault, Finding, Verification
from apps.core.actor import system_actor
from apps.core.context import RequestContext, entered
from tests.erasing import triggers_lifted

TESTED = declare("test.tested", "tested {object}")

pytestmark = pytest.mark.django_db


def make_event(name: str = "thing", **more: object) -> Event:
    with transaction.atomic():
        return record(system_actor(), TESTED, Subject("thing", "7", name), after={"n": 1, **more})


def sealed(count: int) -> list[Event]:
    events = [make_event(f"thing {number}") for number in range(count)]
    seal_pending()
    return events


def findings(*heads: Head) -> list[Finding]:
    return list(Verification(list(heads)).findings())


def faults() -> list[Fault]:
    return [finding.fault for finding in findings()]


def run_sql(sql: str, *params: int) -> None:
    with triggers_lifted(), connection.cursor() as cursor:
        cursor.execute(sql, params)


def test_an_event_outside_of_a_transaction_is_refused(transactional_db: None) -> None:
    with pytest.raises(RuntimeError, match="outside of a transaction"):
        record(system_actor(), TESTED, Subject("thing", "7", "thing"))


def test_an_untouched_chain_has_no_findings() -> None:
    events = sealed(5)
    assert findings() == []
    assert list(Seal.objects.order_by("sequence").values_list("event_id", flat=True)) == [e.pk for e in events]


def test_each_event_is_sealed_once_whatever_the_order_in_which_it_appears() -> None:
    late, early = make_event("late"), make_event("early")
    hidden = Event.objects.get(pk=late.pk)
    # As if its transaction had not ended when the sealer looks.
    run_sql("DELETE FROM audit_event WHERE id = %s", late.pk)
    assert seal_pending() == 1
    Event.objects.bulk_create([hidden])
    assert (seal_pending(), seal_pending()) == (1, 0)
    assert list(Seal.objects.order_by("sequence").values_list("event_id", flat=True)) == [early.pk, late.pk]
    assert findings() == []


def test_what_an_event_says_survives_the_way_through_the_database() -> None:
    odd = {
        "when": datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC),
        "decimal": Decimal("1.50"),
        "numbers": [1e22, 1.0, -0.0, 0.1, 1e300, 2**70, 5e-324, True, None],
        "text": "µ→\u202e\n",
        "later": timedelta(days=1),
    }
    for address in ("10.0.0.1", "2001:db8::1", "::ffff:10.0.0.1"):
        with entered(RequestContext("r" * 32, address)):
            make_event("odd", **odd)
    assert seal_pending() == 3
    assert findings() == []


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit_event SET note = 'x' WHERE id = %s",
        "UPDATE audit_event SET actor_name = 'somebody' WHERE id = %s",
        "UPDATE audit_event SET after = '{\"n\": 2}' WHERE id = %s",
        "UPDATE audit_event SET ip = '10.9.8.7' WHERE id = %s",
        "UPDATE audit_event SET proof = 'x' WHERE id = %s",
    ],
)
def test_a_changed_event_is_found(change: str) -> None:
    events = sealed(4)
    run_sql(change, events[1].pk)
    found = findings()
    assert [finding.fault for finding in found] == [Fault.CHANGED]
    assert f"event {events[1].pk} (test.tested" in str(found[0])


def test_a_missing_event_is_found() -> None:
    events = sealed(4)
    run_sql("DELETE FROM audit_event WHERE id = %s", events[1].pk)
    assert faults() == [Fault.MISSING]


def test_a_missing_seal_is_found() -> None:
    sealed(4)
    run_sql("DELETE FROM audit_seal WHERE sequence = 2")
    assert faults() == [Fault.MISSING]


def test_an_event_that_vanished_with_its_seal_is_found() -> None:
    events = sealed(4)
    run_sql("DELETE FROM audit_event WHERE id = %s", events[1].pk)
    run_sql("DELETE FROM audit_seal WHERE sequence = 2")
    assert faults() == [Fault.MISSING]


def test_a_gap_that_was_closed_is_found() -> None:
    sealed(4)
    run_sql("DELETE FROM audit_event WHERE id = (SELECT event_id FROM audit_seal WHERE sequence = 2)")
    run_sql("DELETE FROM audit_seal WHERE sequence = 2")
    run_sql("UPDATE audit_seal SET sequence = 2 WHERE sequence = 3")
    run_sql("UPDATE audit_seal SET sequence = 3 WHERE sequence = 4")
    assert Fault.CHANGED in faults()


def test_an_inserted_event_is_found_and_never_sealed() -> None:
    first, _ = sealed(2)
    columns = ", ".join(name for name in (field.attname for field in Event._meta.concrete_fields) if name != "id")
    forged = columns.replace("proof", "'" + "0" * 64 + "'")
    insert = f"INSERT INTO audit_event ({columns}) SELECT {forged} FROM audit_event WHERE id = %s"  # noqa: S608
    run_sql(insert, first.pk)
    assert seal_pending(thorough=True) == 0
    assert faults() == [Fault.INSERTED]


def test_a_copied_event_is_refused_by_the_database() -> None:
    event = make_event()
    event.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        Event.objects.bulk_create([event])


def test_a_cut_off_end_is_found_by_a_known_head() -> None:
    sealed(4)
    head = newest_head()
    assert head is not None
    run_sql("DELETE FROM audit_event WHERE id = (SELECT event_id FROM audit_seal WHERE sequence = 4)")
    run_sql("DELETE FROM audit_seal WHERE sequence = 4")
    assert findings() == []
    assert [finding.fault for finding in findings(head)] == [Fault.CUT_OFF]


def test_a_chain_made_with_another_key_is_found() -> None:
    sealed(2)
    with override_settings(SECRET_KEY="y" * 50):
        assert faults() == [Fault.CHANGED, Fault.CHANGED]


def test_a_rotated_key_still_counts() -> None:
    sealed(2)
    from django.conf import settings

    with override_settings(SECRET_KEY="y" * 50, SECRET_KEY_FALLBACKS=[settings.SECRET_KEY]):
        sealed(2)
        assert findings() == []


def test_long_chains_are_sealed_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.audit.sealing._BATCH", 3)
    monkeypatch.setattr("apps.audit.sealing.LOOK_BACK", 2)
    monkeypatch.setattr("apps.audit.verification._BATCH", 2)
    sealed(8)
    sealed(4)
    assert findings() == []
    assert newest_head() is not None
    assert Seal.objects.count() == 12


def test_the_hashes_cover_every_column() -> None:
    columns = {field.attname for field in Event._meta.concrete_fields}
    assert columns == {"id", "proof", *chain.SAID}
