from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, connections, transaction

from apps.audit import sealing
from apps.audit.models import Seal
from apps.audit.sealing import seal_pending
from apps.audit.verification import Verification
from tests.audit.test_chain import make_event

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite has one writer at a time anyway"),
]


def _seal(_: int) -> int:
    try:
        return seal_pending(thorough=True)
    finally:
        connections.close_all()


def test_sealers_take_turns() -> None:
    for number in range(40):
        make_event(f"thing {number}")
    with ThreadPoolExecutor(4) as threads:
        counts = list(threads.map(_seal, range(4)))
    assert sum(counts) == Seal.objects.count() == 40
    assert list(Verification().findings()) == []


def test_a_sealer_leaves_the_work_to_the_one_that_is_at_it() -> None:
    make_event()
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [sealing._LOCK])
        with ThreadPoolExecutor(1) as threads:
            assert threads.submit(_hurried).result() == 0
    assert seal_pending() == 1


def _hurried() -> int:
    try:
        return seal_pending()
    finally:
        connections.close_all()
