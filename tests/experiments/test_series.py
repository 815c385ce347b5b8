"""Whatever is logged, in whatever order and however often: a series says what its points say."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.experiments import actions
from apps.experiments.actions import Value
from apps.experiments.models import Point, Run, Series
from tests.personas import People

numbers = st.sampled_from([-1.5, 0.0, 1.0, 2.0, 1e308])
values = st.builds(
    lambda key, step, timestamp, number, is_nan: Value(key, step, timestamp, 0.0 if is_nan else number, is_nan),
    st.sampled_from(["a", "b"]),
    st.integers(-2, 2),
    st.integers(0, 2),
    numbers,
    st.booleans(),
)
batches = st.lists(st.lists(values, min_size=1, max_size=12), min_size=1, max_size=5)


def expected(points: set[Value]) -> dict[str, Any]:
    last = max(points, key=lambda point: point[1:])
    real = [point.value for point in points if not point.is_nan]
    return {
        "last_value": last.value,
        "last_is_nan": last.is_nan,
        "last_step": last.step,
        "last_timestamp": last.timestamp,
        "min_value": min(real, default=None),
        "max_value": max(real, default=None),
        "count": len(points),
    }


@pytest.fixture
def run(people: People) -> Run:
    experiment = actions.create_experiment(people.ada.actor, name="iris")
    return actions.create_run(people.ada.actor, experiment=experiment, name="", user_name="", start_ms=1)


@given(batches=batches)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_series_says_what_its_points_say(people: People, run: Run, batches: list[list[Value]]) -> None:
    Series.objects.all().delete()
    actor = people.ada.actor
    for batch in [*batches, *reversed(batches)]:
        actions.log_batch(actor, run_id=run.run_id, values=batch)
    logged = {value for batch in batches for value in batch}
    for key in {value.key for value in logged}:
        of_key = {value for value in logged if value.key == key}
        series = Series.objects.values(*expected(of_key)).get(key=key)
        assert series == expected(of_key)
    assert Point.objects.count() == len(logged)
