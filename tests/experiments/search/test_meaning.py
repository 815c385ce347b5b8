"""Random filters find the runs in SQL that they match in plain Python."""

from __future__ import annotations

import math

import pytest
from hypothesis import HealthCheck, given, settings

from apps.experiments import actions
from apps.experiments.models import Dataset, DatasetInput, Experiment, Param, Run, RunTag, Series
from apps.experiments.search.nodes import Node
from apps.experiments.search.runs import matching_runs
from tests.experiments.search.trees import Facts, matches, trees
from tests.personas import People

FACTS = [
    Facts("abc", 1000, None),
    Facts("Abc", 1001, 1002, {"a": 0.5}, {"a": "abc", "b c": "Abc"}, {"a": "a_c"}, {"abc": "train"}),
    Facts("a%c", 1001, 999, {"a": math.nan, "b c": 2.0}, {"a": "Abc"}, {"a": "a%c", "d.e": ""}, {"": "", "a_c": ""}),
    Facts("x'y", 1002, 1000, {"a": 0.0, "d.e": -1.0}, {"a": "a_c", "d.e": "[a]*?"}, {"b c": "a\\", "a": "x'y"}),
    Facts("", 1002, 1001, {"a": 1e300}, {"a": "", "b c": "long " * 40}, {"a": "long " * 40}, {"a%c": "test"}),
]


@pytest.fixture
def runs(people: People) -> dict[int, Facts]:
    experiment = actions.create_experiment(people.ada.actor, name="iris")
    return {_store(experiment, number, facts): facts for number, facts in enumerate(FACTS)}


@given(tree=trees())
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_sql_finds_what_python_matches(runs: dict[int, Facts], tree: Node) -> None:
    found = set(matching_runs(Run.objects.all(), str(tree)).values_list("pk", flat=True))
    assert found == {pk for pk, facts in runs.items() if matches(tree, facts)}


def _store(experiment: Experiment, number: int, facts: Facts) -> int:
    run = Run.objects.create(
        run_id=f"{number:032x}", experiment=experiment, name=facts.name, start_ms=facts.start, end_ms=facts.end
    )
    Param.objects.bulk_create(Param(run=run, key=key, value=value) for key, value in facts.params.items())
    RunTag.objects.bulk_create(RunTag(run=run, key=key, value=value) for key, value in facts.tags.items())
    Series.objects.bulk_create(_series(run, key, value) for key, value in facts.metrics.items())
    for name, context in facts.datasets.items():
        dataset = Dataset.objects.create(experiment=experiment, name=name, digest=str(number), source_type="local")
        DatasetInput.objects.create(run=run, dataset=dataset, context=context)
    return run.pk


def _series(run: Run, key: str, value: float) -> Series:
    is_nan = math.isnan(value)
    shown = 0.0 if is_nan else value
    return Series(run=run, key=key, last_value=shown, last_is_nan=is_nan, last_step=0, last_timestamp=0)
