"""Connections to other servers' databases: read only, in blocks, and any error is one line."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from apps.imports.sources.base import BrokenSource

_BLOCK = 10_000


class Database(Protocol):
    """`among` is the condition that a column is one of a list of texts, which is one parameter: see `listed`."""

    label: str
    among: str
    mark: str

    def rows(self, sql: str, values: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]: ...

    def listed(self, texts: Iterable[str]) -> Any: ...

    def columns(self, table: str) -> set[str]: ...

    def close(self) -> None: ...


class SQLiteDatabase:
    among = "IN (SELECT value FROM json_each(?))"
    mark = "?"

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise BrokenSource(f"There is no file {path}.")
        path = path.resolve()
        self.label = f"sqlite:///{path}"
        try:
            self._connection = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, timeout=30)
            self._connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
            self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.Error as error:
            raise BrokenSource(f"{path} can't be read as an SQLite database: {error}.") from error

    def rows(self, sql: str, values: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        try:
            with closing(self._connection.cursor()) as cursor:
                cursor.execute(sql, values)
                while block := cursor.fetchmany(_BLOCK):
                    yield from block
        except sqlite3.Error as error:
            raise BrokenSource(f"{self.label} can't be read: {error}.") from error

    def listed(self, texts: Iterable[str]) -> Any:
        import orjson

        return orjson.dumps(list(texts)).decode()

    def columns(self, table: str) -> set[str]:
        return {row[0] for row in self.rows("SELECT name FROM pragma_table_info(?)", [table])}

    def close(self) -> None:
        self._connection.close()


class PostgresDatabase:
    """One transaction that sees the store as it was when the import began."""

    among = "= ANY(%s)"
    mark = "%s"

    def __init__(self, url: str) -> None:
        import psycopg

        self._error: type[Exception] = psycopg.Error
        self._numbers = count()
        self.label = _without_password(url)
        try:
            self._connection = psycopg.connect(_as_libpq(url), connect_timeout=10)
            self._connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            self._connection.read_only = True
        except (psycopg.Error, UnicodeError) as error:
            raise BrokenSource(f"{self.label} can't be reached: {_first_line(error)}") from error

    def rows(self, sql: str, values: Sequence[Any] = ()) -> Iterator[tuple[Any, ...]]:
        try:
            # A cursor of the server: what a statement finds never lies here as a whole.
            with self._connection.cursor(f"import_{next(self._numbers)}", binary=True) as cursor:
                cursor.itersize = _BLOCK
                cursor.execute(sql, values)  # type: ignore[arg-type,unused-ignore]
                while block := cursor.fetchmany(_BLOCK):
                    yield from block
        except self._error as error:
            raise BrokenSource(f"{self.label} can't be read: {_first_line(error)}") from error

    def listed(self, texts: Iterable[str]) -> Any:
        return list(texts)

    def columns(self, table: str) -> set[str]:
        sql = "SELECT column_name::text FROM information_schema.columns WHERE table_name = %s AND table_schema = ANY"
        return {row[0] for row in self.rows(f"{sql}(current_schemas(false))", [table])}

    def close(self) -> None:
        self._connection.close()


def database_at(source: str) -> Database:
    """The database that a URL in the words of SQLAlchemy names. Raises `BrokenSource`."""
    scheme = source.partition(":")[0].partition("+")[0]
    if scheme == "sqlite":
        return SQLiteDatabase(Path(unquote(source.partition(":///")[2].partition("?")[0])))
    if scheme in ("postgresql", "postgres"):
        return PostgresDatabase(source)
    raise BrokenSource(f"Databases of the kind '{scheme}' are not read. See docs/guides/migrate-from-mlflow.md.")


def _as_libpq(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{scheme.partition('+')[0]}://{rest}"


def _without_password(url: str) -> str:
    parts = urlsplit(_as_libpq(url))
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(("postgresql", host, parts.path, "", ""))


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
