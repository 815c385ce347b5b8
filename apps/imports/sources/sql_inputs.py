"""What runs used and made, as MLflow's tables keep it: one table of links between things of several kinds."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from apps.experiments.actions import UsedDataset
from apps.imports.sources.cells import text_of
from apps.imports.sources.databases import Database

Columns = Callable[[str], set[str]]


@dataclass(slots=True)
class Inputs:
    """Of one run: datasets, logged models that it took, and those that it made, with the step."""

    datasets: list[UsedDataset] = field(default_factory=list)
    models: dict[str, int] = field(default_factory=dict)
    made: dict[str, int] = field(default_factory=dict)


def read_inputs(database: Database, columns: Columns, run_ids: Collection[str]) -> dict[str, Inputs]:
    """By run id; `columns` says what a table of the store has."""
    found: dict[str, Inputs] = {}
    if columns("inputs") and columns("datasets"):
        _read_datasets(database, run_ids, found)
    if columns("logged_models"):
        _read_models(database, "step" in columns("inputs"), run_ids, found)
    return found


def _read_datasets(database: Database, run_ids: Collection[str], found: dict[str, Inputs]) -> None:
    mine = f"i.destination_type = 'RUN' AND i.source_type = 'DATASET' AND i.destination_id {database.among}"
    tags: dict[str, list[tuple[str, str]]] = {}
    sql = f"SELECT t.input_uuid, t.name, t.value FROM input_tags t JOIN inputs i USING (input_uuid) WHERE {mine}"
    for uuid, name, value in database.rows(sql, [database.listed(run_ids)]):
        tags.setdefault(uuid, []).append((text_of(name), text_of(value)))
    sql = (
        "SELECT i.destination_id, i.input_uuid, d.name, d.digest, d.dataset_source_type, d.dataset_source, "
        "d.dataset_schema, d.dataset_profile FROM inputs i JOIN datasets d ON d.dataset_uuid = i.source_id "
        f"WHERE {mine} ORDER BY i.destination_id, d.name, d.digest"
    )
    for run_id, uuid, name, digest, kind, source, schema, profile in database.rows(sql, [database.listed(run_ids)]):
        used = UsedDataset(
            name=text_of(name),
            digest=text_of(digest),
            source_type=text_of(kind),
            source=text_of(source),
            schema=None if schema is None else text_of(schema),
            profile=None if profile is None else text_of(profile),
            tags=tuple(tags.get(uuid, ())),
        )
        found.setdefault(run_id, Inputs()).datasets.append(used)


def _read_models(database: Database, has_step: bool, run_ids: Collection[str], found: dict[str, Inputs]) -> None:
    step = "step" if has_step else "0"
    sql = (
        f"SELECT source_id, destination_type, destination_id, {step} FROM inputs "
        f"WHERE source_type IN ('RUN_INPUT', 'RUN_OUTPUT') AND source_id {database.among}"
    )
    for run_id, kind, model_id, at in database.rows(sql, [database.listed(run_ids)]):
        links = found.setdefault(run_id, Inputs())
        if kind == "MODEL_INPUT":
            links.models[model_id] = at
        elif kind == "MODEL_OUTPUT":
            links.made[model_id] = at
