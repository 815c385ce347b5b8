"""Storing a version under the next number of its model.

The model's row is locked by the update until the caller's transaction ends: two at once get two numbers. On PostgreSQL
number, version and tags are one statement, since a pipeline that registers waits for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from django.db import connection
from django.db.models import F

from apps.experiments import hot
from apps.registry.access import no_model
from apps.registry.models import ModelVersion, ModelVersionTag, RegisteredModel

_SQL = """
    WITH numbered AS (
        UPDATE registry_registeredmodel SET last_number = last_number + 1, updated_ms = %s WHERE id = %s
        RETURNING last_number
    ), made AS (
        INSERT INTO registry_modelversion (number, {columns})
        SELECT last_number, {places} FROM numbered RETURNING id, number
    ), tagged AS (
        INSERT INTO registry_modelversiontag (version_id, key, value)
        SELECT made.id, tag.key, tag.value FROM made, unnest(%s::text[], %s::text[]) AS tag (key, value)
    )
    SELECT id, number FROM made
"""


def store_version(version: ModelVersion, tags: Mapping[str, str]) -> None:
    """Give an unsaved version its number and store it with its tags. Raises `NotFound` where the model is gone."""
    if connection.vendor == "postgresql":
        _store_at_once(version, tags)
        return
    same = RegisteredModel.objects.filter(pk=version.model_id)
    if not same.update(last_number=F("last_number") + 1, updated_ms=version.created_ms):
        raise no_model(version.model.name)
    version.number = same.values_list("last_number", flat=True).get()
    version.save(force_insert=True)
    ModelVersionTag.objects.bulk_create(
        ModelVersionTag(version=version, key=key, value=value) for key, value in tags.items()
    )


def _store_at_once(version: ModelVersion, tags: Mapping[str, str]) -> None:
    values = [getattr(version, name) for name in _columns()]
    written = [version.created_ms, version.model_id, *values, list(tags), list(tags.values())]
    rows = hot.rows_of(_statement(), written)
    if not rows:
        raise no_model(version.model.name)
    version.pk, version.number = rows[0]
    version._state.adding, version._state.db = False, connection.alias


@cache
def _columns() -> list[str]:
    names = [field.attname for field in ModelVersion._meta.concrete_fields]
    return [name for name in names if name not in ("id", "number")]


@cache
def _statement() -> str:
    places = ", ".join(f"%s::{field.db_type(connection)}" for field in _fields())
    return _SQL.format(columns=", ".join(_columns()), places=places)


def _fields() -> list[Any]:
    return [field for field in ModelVersion._meta.concrete_fields if field.attname in _columns()]
