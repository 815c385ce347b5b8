"""Sixteen that register at once: each gets a number of its own, and no number comes twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, connections

from apps.core.errors import AlreadyExists
from apps.registry import access, actions
from apps.registry.models import ModelVersion, RegisteredModel
from tests.personas import People

THREADS = 16
ROUNDS = 3
SOURCE = f"runs:/{'0' * 32}/model"

pytestmark = [
    pytest.mark.skipif(
        connection.vendor != "postgresql", reason="an in-memory SQLite has one writer: set DATABASE_URL to PostgreSQL"
    ),
    pytest.mark.django_db(transaction=True),
]


def test_numbers_are_distinct_and_without_gaps(people: People) -> None:
    actor = people.ada.actor
    model = access.get_model(actor, actions.create_model(actor, name="iris").name)

    def register(_: int) -> list[int]:
        try:
            return [actions.create_version(actor, model=model, source=SOURCE).number for _ in range(ROUNDS)]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(THREADS) as threads:
        numbers = [number for made in threads.map(register, range(THREADS)) for number in made]
    assert sorted(numbers) == list(range(1, THREADS * ROUNDS + 1))
    assert RegisteredModel.objects.get().last_number == THREADS * ROUNDS


def test_a_number_that_is_gone_does_not_come_again(people: People) -> None:
    actor = people.ada.actor
    model = actions.create_model(actor, name="iris")
    made = [actions.create_version(actor, model=model, source=SOURCE) for _ in range(3)]
    actions.delete_version(actor, version=made[2])
    assert actions.create_version(actor, model=model, source=SOURCE).number == 4
    assert list(ModelVersion.objects.order_by("number").values_list("number", flat=True)) == [1, 2, 4]


def test_one_name_is_made_once(people: People) -> None:
    actor = people.ada.actor

    def create(_: int) -> bool:
        try:
            actions.create_model(actor, name="iris")
        except AlreadyExists:
            return False
        finally:
            connections.close_all()
        return True

    with ThreadPoolExecutor(THREADS) as threads:
        assert sum(threads.map(create, range(THREADS))) == 1
