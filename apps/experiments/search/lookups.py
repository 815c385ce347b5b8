"""Lookups that mean the same on SQLite and PostgreSQL. Importing this module registers them.

`\\` before `%`, `_` or itself takes it literally in a pattern.
"""

from __future__ import annotations

import re
from typing import Any

from django.db import models
from django.db.models import Func, Lookup, Transform

from apps.experiments.models.runs import INDEXED_LENGTH

_PIECES = re.compile(r"\\(.)|([%_])|(.)", re.DOTALL)


class _Pattern(Lookup):
    prepare_rhs = False

    def _sql(self, compiler: Any, connection: Any, operator: str, pattern: str) -> tuple[str, tuple[Any, ...]]:
        lhs, params = self.process_lhs(compiler, connection)
        return f"{lhs} {operator}", (*params, pattern)


@models.CharField.register_lookup
@models.TextField.register_lookup
class Like(_Pattern):
    """`LIKE` that minds case. SQLite's own does not, but its `GLOB` does."""

    lookup_name = "like"

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        return self._sql(compiler, connection, "LIKE %s", _closed(self.rhs))

    def as_sqlite(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        return self._sql(compiler, connection, "GLOB %s", glob_of(self.rhs))


@models.CharField.register_lookup
@models.TextField.register_lookup
class ILike(_Pattern):
    """`LIKE` that does not mind case; on SQLite that of ASCII letters only."""

    lookup_name = "ilike"

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        return self._sql(compiler, connection, "ILIKE %s", _closed(self.rhs))

    def as_sqlite(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        return self._sql(compiler, connection, "LIKE %s ESCAPE '\\'", _closed(self.rhs))


@models.CharField.register_lookup
@models.TextField.register_lookup
class Head(Transform):
    """The indexed beginning of a text. The length is part of the statement, else the index is not recognised."""

    lookup_name = "head"
    output_field = models.TextField()
    template = f"LEFT(%(expressions)s, {INDEXED_LENGTH})"

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, Any]:
        return super().as_sql(compiler, connection, template=f"SUBSTR(%(expressions)s, 1, {INDEXED_LENGTH})", **extra)


class Bytewise(Func):
    """A text in the order of its characters' codes, whatever the collation of the database is."""

    template = '(%(expressions)s COLLATE "C")'
    output_field = models.TextField()

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> tuple[str, Any]:
        return super().as_sql(compiler, connection, template="%(expressions)s", **extra)


def glob_of(pattern: str) -> str:
    """The `GLOB` pattern that matches what a `LIKE` pattern matches with case."""
    wild = {"%": "*", "_": "?"}
    pieces = _PIECES.finditer(_closed(pattern))
    return "".join(wild[piece[2]] if piece[2] else _literal(piece[1] or piece[3]) for piece in pieces)


def _literal(character: str) -> str:
    return f"[{character}]" if character in "*?[" else character


def _closed(pattern: str) -> str:
    """A backslash at the end escapes nothing, which PostgreSQL refuses: it stands for itself."""
    tail = len(pattern) - len(pattern.rstrip("\\"))
    return pattern + "\\" if tail % 2 else pattern
