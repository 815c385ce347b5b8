"""Runs as the protocol's JSON, in one statement for any number of runs.

PostgreSQL writes the text itself, which is several times faster than making objects of a thousand runs' rows.
SQLite prints doubles with too few digits for that; there all rows of all kinds come in two statements.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connection

from apps.core.actor import Actor, Level
from apps.experiments import rendering_postgres, rendering_sqlite
from apps.experiments.access import reach_of
from apps.experiments.models import Run


def render_runs(pks: Sequence[int]) -> list[bytes]:
    """The JSON of each run (`info`, `data`, `inputs`, `outputs`), in the order of `pks`."""
    if not pks:
        return []
    rendered = _backend().render(pks)
    return [rendered[pk] for pk in pks if pk in rendered]


def render_run(actor: Actor, run_id: str) -> bytes | None:
    """The JSON of one run if a role gives the actor a look at it; None: ask `access.get_run`, which says why not."""
    return _backend().render_one(run_id, reach_of(actor, Level.READ))


def info_of(run: Run) -> dict[str, Any]:
    """The `info` of a run at hand, to be encoded. Needs `experiment`."""
    times = run.start_ms, run.end_ms, run.deleted_ms
    location = run.experiment.artifact_location
    return rendering_sqlite.info(
        run.run_id, run.experiment_id, run.name, run.user_name, run.status, *times, artifact_location=location
    )


def _backend() -> rendering_postgres.Renderer | rendering_sqlite.Renderer:
    return rendering_postgres.Renderer() if connection.vendor == "postgresql" else rendering_sqlite.Renderer()
