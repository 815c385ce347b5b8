"""Storing whole histories that come from elsewhere, of runs that are made in the same transaction.

Nobody else can know the new series, so nothing is locked, looked up or counted: rows go in by COPY (on SQLite by
`executemany`) under ids that were taken beforehand. Log calls are stored by `apps.experiments.ingest`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.db import connection

from apps.experiments.foreign import Piece

_FLUSHED_AT = 100_000
_IDS_AT_ONCE = 1_000
_POINTS = ("series_id", "step", "timestamp", "value", "is_nan")
_SERIES = (
    "id",
    "run_id",
    "key",
    "last_step",
    "last_timestamp",
    "last_value",
    "last_is_nan",
    "min_value",
    "max_value",
    "count",
)


def store_pieces(runs: Mapping[str, int], pieces: Iterable[Piece]) -> int:
    """Store all points of new runs, by run id; how many. Within the transaction that makes the runs."""
    writer = _Writer()
    for (run_id, key), parts in groupby(pieces, itemgetter(0, 1)):
        writer.add_series(runs[run_id], key, (piece.points for piece in parts))
    writer.flush()
    return writer.written


def insert_rows(table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Insert rows that nothing can be in the way of; names are ours, never a caller's."""
    if not rows:
        return
    names = ", ".join(columns)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
        else:
            places = ", ".join(["%s"] * len(columns))
            cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({places})", rows)  # noqa: S608


class _Writer:
    def __init__(self) -> None:
        self.written = 0
        self._series: list[tuple[Any, ...]] = []
        self._points: list[tuple[int, int, int, float, bool]] = []
        self._ids: list[int] = []

    def add_series(self, run_pk: int, key: str, parts: Iterable[Sequence[tuple[int, int, float, bool]]]) -> None:
        series_id = self._next_id()
        last: tuple[int, int, float, bool] | None = None
        least: float | None = None
        most: float | None = None
        count = 0
        for points in parts:
            if not points:
                continue
            count += len(points)
            newest = tuple(max(points))
            last = newest if last is None or newest > last else last  # type: ignore[assignment]
            numbers = [value for _, _, value, is_nan in points if not is_nan]
            if numbers:
                low, high = min(numbers), max(numbers)
                least, most = low if least is None else min(least, low), high if most is None else max(most, high)
            self._points += [(series_id, *point) for point in points]
            if len(self._points) >= _FLUSHED_AT:
                self._flush_points()
        if last is not None:
            self._series.append((series_id, run_pk, key, *last, least, most, count))
            self.written += count

    def flush(self) -> None:
        self._flush_points()
        insert_rows("experiments_series", _SERIES, self._series)
        self._series = []

    def _flush_points(self) -> None:
        if connection.vendor == "postgresql":
            # As text in one go: a third of what writing row by row takes.
            lines = [
                f"{series}\t{step}\t{timestamp}\t{value!r}\t{'t' if is_nan else 'f'}\n"
                for series, step, timestamp, value, is_nan in self._points
            ]
            sql = f"COPY experiments_point ({', '.join(_POINTS)}) FROM STDIN"
            with connection.cursor() as cursor, cursor.copy(sql) as copy:
                copy.write("".join(lines))
        else:
            insert_rows("experiments_point", _POINTS, self._points)
        self._points = []

    def _next_id(self) -> int:
        if not self._ids:
            self._ids = _take_ids()
        return self._ids.pop()


def _take_ids() -> list[int]:
    """Ids of series that nobody else gets, highest first."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            sequence = "nextval(pg_get_serial_sequence('experiments_series', 'id'))"
            cursor.execute(f"SELECT {sequence} FROM generate_series(1, %s)", [_IDS_AT_ONCE])  # noqa: S608
            return sorted((row[0] for row in cursor.fetchall()), reverse=True)
        # The transaction is the only one that writes; a row with an id of its own moves the sequence on.
        cursor.execute("SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'experiments_series'")
        first = cursor.fetchone()[0] + 1
        cursor.execute(
            "INSERT INTO sqlite_sequence (name, seq) SELECT 'experiments_series', 0 "
            "WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'experiments_series')"
        )
        cursor.execute(
            "UPDATE sqlite_sequence SET seq = %s WHERE name = 'experiments_series'", [first + _IDS_AT_ONCE - 1]
        )
    return list(range(first + _IDS_AT_ONCE - 1, first - 1, -1))
