"""Many threads that log into one run at once: nobody is turned away, nothing is counted twice."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import close_old_connections, connection, connections

from apps.core.errors import InvalidInput
from apps.experiments import actions
from apps.experiments.actions import Value
from apps.experiments.models import Param, Point, Run, RunTag, Series
from tests.personas import People

KEYS = [f"m{n}" for n in range(6)]
THREADS = 16
ROUNDS = 6

needs_postgresql = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="an in-memory SQLite has one writer: set DATABASE_URL to PostgreSQL"
)


def values_of(thread: int, turn: int) -> list[Value]:
    """Of each key one value that all threads log, and one of the thread's own; in an order of the thread's own."""
    shared = [Value(key, turn, 1, float(turn), False) for key in KEYS]
    own = [Value(key, thread * 1000 + turn, 2, float(thread), False) for key in KEYS]
    return random.Random(thread * 100 + turn).sample(shared + own, len(shared) + len(own))


@needs_postgresql
@pytest.mark.django_db(transaction=True)
def test_batches_over_the_same_keys(people: People) -> None:
    actor = people.ada.actor
    experiment = actions.create_experiment(actor, name="iris")
    run = actions.create_run(actor, experiment=experiment, name="", user_name="", start_ms=1)

    def write(thread: int) -> None:
        try:
            for turn in range(ROUNDS):
                for _ in range(2):
                    actions.log_batch(
                        actor,
                        run_id=run.run_id,
                        values=values_of(thread, turn),
                        params=[(f"p{turn}", "same"), (f"own{thread}", "x")],
                        tags=[(f"t{n}", str(thread)) for n in range(3)],
                    )
        finally:
            connections.close_all()

    with ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(write, range(THREADS)))
    logged = {value for thread in range(THREADS) for turn in range(ROUNDS) for value in values_of(thread, turn)}
    assert Point.objects.count() == len(logged)
    for series in Series.objects.all():
        assert series.count == sum(value.key == series.key for value in logged)
        assert (series.last_step, series.max_value) == ((THREADS - 1) * 1000 + ROUNDS - 1, float(THREADS - 1))
    assert Param.objects.count() == ROUNDS + THREADS
    assert RunTag.objects.filter(run=run).count() == 3 + 1
    close_old_connections()


@needs_postgresql
@pytest.mark.django_db(transaction=True)
def test_of_different_values_for_a_param_one_wins_and_the_rest_store_nothing(people: People) -> None:
    actor = people.ada.actor
    experiment = actions.create_experiment(actor, name="iris")
    run = actions.create_run(actor, experiment=experiment, name="", user_name="", start_ms=1)

    def write(thread: int) -> bool:
        value = Value(f"m{thread}", 0, 1, 1.0, False)
        try:
            actions.log_batch(actor, run_id=run.run_id, values=[value], params=[("p", str(thread))])
        except InvalidInput:
            return False
        finally:
            connections.close_all()
        return True

    with ThreadPoolExecutor(THREADS) as threads:
        won = list(threads.map(write, range(THREADS)))
    assert sum(won) == 1
    winner = won.index(True)
    assert Param.objects.get().value == str(winner)
    assert list(Series.objects.values_list("key", flat=True)) == [f"m{winner}"]
    assert Run.objects.count() == 1
