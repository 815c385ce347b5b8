"""The registry's tables of MLflow 2.x and 3.x."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from apps.imports.sources.cells import text_of
from apps.imports.sources.databases import Database
from apps.registry.foreign import ForeignModel, ForeignVersion

# A version that was deleted stays as a row without content, so that its number never comes again.
DELETED = "Deleted_Internal"
MODEL_ID = re.compile(r"models:/(m-[0-9a-f]{32})")


def count_registry(database: Database, workspace: str) -> dict[str, int]:
    """How many registered models and versions."""
    counts = {}
    for kind, table, more in (
        ("registered models", "registered_models", ""),
        ("model versions", "model_versions", f" AND current_stage <> '{DELETED}'"),
    ):
        there = bool(database.columns(table))
        found = _rows(database, f"SELECT count(*) FROM {table}", workspace, more) if there else iter([(0,)])
        counts[kind] = int(next(found)[0])
    return counts


def read_models(database: Database, workspace: str) -> list[ForeignModel]:
    """All models with their versions, tags and aliases. Registries are small: they are read as a whole."""
    if not database.columns("registered_models"):
        return []
    tags = _pairs(database, "SELECT name, key, value FROM registered_model_tags", workspace)
    aliases: dict[Any, dict[str, int]] = {}
    if database.columns("registered_model_aliases"):
        for name, alias, number in _rows(
            database, "SELECT name, alias, version FROM registered_model_aliases", workspace
        ):
            aliases.setdefault(name, {})[text_of(alias)] = number
    versions, last = _versions(database, workspace)
    sql = "SELECT name, description, creation_time, last_updated_time FROM registered_models"
    return [
        ForeignModel(
            name=text_of(name),
            description=text_of(description),
            created_ms=created or 0,
            updated_ms=updated or created or 0,
            last_number=last.get(name, 0),
            tags=tags.get(name, {}),
            aliases=aliases.get(name, {}),
            versions=versions.get(name, []),
        )
        for name, description, created, updated in sorted(
            _rows(database, sql, workspace), key=lambda row: text_of(row[0])
        )
    ]


def _versions(database: Database, workspace: str) -> tuple[dict[str, list[ForeignVersion]], dict[str, int]]:
    tags = _version_tags(database, workspace)
    versions: dict[str, list[ForeignVersion]] = {}
    last: dict[str, int] = {}
    sql = (
        "SELECT name, version, source, run_id, run_link, description, status, status_message, current_stage, "
        "creation_time, last_updated_time FROM model_versions"
    )
    for name, number, source, run_id, link, text, status, message, stage, created, updated in sorted(
        _rows(database, sql, workspace), key=lambda row: row[:2]
    ):
        last[name] = max(number, last.get(name, 0))
        if stage == DELETED:
            continue
        named = MODEL_ID.fullmatch(text_of(source))
        version = ForeignVersion(
            number=number,
            source=text_of(source),
            run_id=text_of(run_id),
            run_link=text_of(link),
            description=text_of(text),
            status=text_of(status) or "READY",
            status_message=text_of(message),
            stage=text_of(stage) or "None",
            created_ms=created or 0,
            updated_ms=updated or created or 0,
            model_id=named[1] if named else "",
            tags=tags.get((name, number), {}),
        )
        versions.setdefault(name, []).append(version)
    return versions, last


def _version_tags(database: Database, workspace: str) -> dict[tuple[str, int], dict[str, str]]:
    found: dict[tuple[str, int], dict[str, str]] = {}
    sql = "SELECT name, version, key, value FROM model_version_tags"
    for name, number, key, value in _rows(database, sql, workspace):
        found.setdefault((name, number), {})[text_of(key)] = text_of(value)
    return found


def _pairs(database: Database, sql: str, workspace: str) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for name, key, value in _rows(database, sql, workspace):
        found.setdefault(name, {})[text_of(key)] = text_of(value)
    return found


def _rows(database: Database, sql: str, workspace: str, more: str = "") -> Iterator[tuple[Any, ...]]:
    """The rows of the workspace, where the store has several."""
    where = f" WHERE workspace = {database.mark}" if workspace else " WHERE 1 = 1"
    return database.rows(sql + where + more, [workspace] if workspace else [])
