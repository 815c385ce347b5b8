"""Versions as the protocol's JSON: written by PostgreSQL itself, which is several times faster than by objects.

The look-ups that scripts and servers make before each load are one prepared statement that authorises as it goes: by
the caller's role in the team that the call speaks for. None stands for what it does not reach: `access` then finds what
was granted, or says what is wrong. On SQLite, rows are rendered by `apps.registry.mlflow.shapes`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connection

from apps.core.actor import Actor, Level
from apps.experiments import hot

_TAGS = """(
    SELECT string_agg('{"key":' || to_json(t.key) || ',"value":' || to_json(t.value) || '}', ',' ORDER BY t.key)
    FROM registry_modelversiontag t WHERE t.version_id = v.id)"""
_ALIASES = """(
    SELECT string_agg(to_json(a.name)::text, ',' ORDER BY a.name) FROM registry_alias a WHERE a.version_id = v.id)"""

_VERSION = f"""
    '{{"name":' || to_json(m.name) || ',"version":"' || v.number || '","creation_timestamp":' || v.created_ms
    || ',"last_updated_timestamp":' || v.updated_ms || ',"current_stage":"' || v.stage
    || '","description":' || to_json(v.description) || ',"source":' || to_json(v.source)
    || ',"run_id":' || to_json(v.run_id) || ',"status":"' || v.status || '","run_link":' || to_json(v.run_link)
    || coalesce(',"user_id":' || to_json(u.username), '')
    || CASE WHEN v.status_message <> '' THEN ',"status_message":' || to_json(v.status_message) ELSE '' END
    || coalesce(',"tags":[' || {_TAGS} || ']', '') || coalesce(',"aliases":[' || {_ALIASES} || ']', '') || '}}'
"""
_OF_MODEL = "FROM registry_modelversion v JOIN registry_registeredmodel m ON m.id = v.model_id"
_FROM = f"{_OF_MODEL} LEFT JOIN accounts_user u ON u.id = v.owner_id"
_NAMED = "WHERE m.team_id = %s AND m.name = %s"

_BY_NUMBER = f"SELECT {_VERSION} {_FROM} {_NAMED} AND v.number = %s"
_BY_ALIAS = f"""
    SELECT {_VERSION} {_FROM} JOIN registry_alias b ON b.version_id = v.id AND b.model_id = m.id
    {_NAMED} AND b.name = %s
"""
_BY_KEYS = f"SELECT v.id, {_VERSION} {_FROM} WHERE v.id = ANY(%s)"
_PLACE = "CASE WHEN v.folder <> '' THEN v.folder ELSE v.source END"
_FOLDER = f"SELECT {_PLACE} {_OF_MODEL} {_NAMED} AND v.number = %s"


def is_fast() -> bool:
    """Whether the database renders."""
    return connection.vendor == "postgresql"


def version_of(actor: Actor, name: str, number: int) -> bytes | None:
    """The JSON of a version, if a role lets the actor read it."""
    return _encoded(_look_up(actor, _BY_NUMBER, name, number))


def version_at(actor: Actor, name: str, alias: str) -> bytes | None:
    """The JSON of the version that an alias points at, if a role lets the actor read it."""
    return _encoded(_look_up(actor, _BY_ALIAS, name, alias))


def folder_of(actor: Actor, name: str, number: int) -> str | None:
    """Where a version's files are, if a role lets the actor read it."""
    return _look_up(actor, _FOLDER, name, number)


def versions(keys: Sequence[int]) -> list[bytes]:
    """The JSON of the versions with these primary keys, in their order. One statement."""
    rendered = {key: text.encode() for key, text in hot.rows_of(_BY_KEYS, [list(keys)])}
    return [rendered[key] for key in keys if key in rendered]


def _look_up(actor: Actor, sql: str, name: str, value: Any) -> str | None:
    if not is_fast() or actor.team_id is None or actor.level_in(actor.team_id) < Level.READ:
        return None
    rows = hot.rows_of(sql, [actor.team_id, name, value])
    return str(rows[0][0]) if rows else None


def _encoded(text: str | None) -> bytes | None:
    return None if text is None else text.encode()
