"""Runs and metrics for the tests of pages, as rows: what ingest makes of calls is tested elsewhere."""

from __future__ import annotations

import math
from collections.abc import Sequence

from apps.experiments import actions
from apps.experiments.models import Experiment, Point, Run, Series
from tests.personas import Persona


def make_run(persona: Persona, *, name: str = "a run", experiment: str = "iris", **tags: str) -> str:
    """The id of a new running run of an experiment, which is made where it is missing."""
    actor = persona.actor
    found = Experiment.objects.listed_for(actor).filter(name=experiment).first()
    place = found or actions.create_experiment(actor, name=experiment)
    run = actions.create_run(
        actor, experiment=place, name=name, user_name=persona.name, start_ms=1000, tags=list(tags.items())
    )
    return run.run_id


def log_metrics(persona: Persona, run_id: str, key: str, values: Sequence[float], *, first_step: int = 0) -> None:
    """Points at consecutive steps, at 1000 ms and as many as the step."""
    run = Run.objects.get(run_id=run_id)
    steps = range(first_step, first_step + len(values))
    rows = [
        (step, 1000 + step, 0.0 if math.isnan(v) else v, math.isnan(v)) for step, v in zip(steps, values, strict=True)
    ]
    series, _ = Series.objects.get_or_create(
        run=run, key=key, defaults={"last_value": 0, "last_step": -1, "last_timestamp": 0}
    )
    Point.objects.bulk_create(
        Point(series=series, step=step, timestamp=timestamp, value=value, is_nan=is_nan)
        for step, timestamp, value, is_nan in rows
    )
    finite = [v for v in values if not math.isnan(v)]
    series.count += len(rows)
    series.min_value = min([v for v in [series.min_value] if v is not None] + finite, default=None)
    series.max_value = max([v for v in [series.max_value] if v is not None] + finite, default=None)
    if rows[-1][0] > series.last_step:
        series.last_step, series.last_timestamp, series.last_value, series.last_is_nan = rows[-1]
    series.save()
