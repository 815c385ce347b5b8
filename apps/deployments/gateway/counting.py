"""How many calls came to each revision, what became of them and how long they took: counted here, added up in rows."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence

from django.db import connection, transaction

from apps.deployments.gateway.telling import tell
from apps.deployments.histogram import BOUNDS_MS, COLUMNS, bucket_of
from apps.deployments.models import Revision, TrafficMinute

logger = logging.getLogger(__name__)

_COUNTS = ("requests", "client_errors", "server_errors", "unreached", "total_ms", *COLUMNS)
_FIRST_BUCKET = 5
# As other gateways count a caller who did not wait. Nobody hears it.
CALLER_LEFT = 499
# Kept while the database is away; an hour of a busy site.
_KEPT_AT_MOST = 50_000
_AT_ONCE = 200
Key = tuple[int, int]
Counted = dict[Key, list[float]]


class Counts:
    """What this process has counted and not yet written, by revision and minute."""

    def __init__(self) -> None:
        self._counted: Counted = {}

    def answered(self, revision: int, status: int, milliseconds: float) -> None:
        """A model answered, or took a call and did not."""
        row = self._row(revision)
        row[0] += 1
        if status >= 500:
            row[2] += 1
        elif status >= 400:
            row[1] += 1
        row[4] += milliseconds
        row[_FIRST_BUCKET + bucket_of(milliseconds)] += 1

    def unreached(self, revision: int) -> None:
        """A call could not be brought to a model."""
        row = self._row(revision)
        row[0] += 1
        row[3] += 1

    def take(self) -> Counted:
        """What was counted since the last time, to be written."""
        taken, self._counted = self._counted, {}
        return taken

    def put_back(self, counted: Counted) -> None:
        """What could not be written, for the next time."""
        if len(self._counted) + len(counted) > _KEPT_AT_MOST:
            return
        for key, values in counted.items():
            row = self._counted.setdefault(key, [0] * len(values))
            for place, value in enumerate(values):
                row[place] += value

    def _row(self, revision: int) -> list[float]:
        key = (revision, int(time.time() // 60))
        row = self._counted.get(key)
        if row is None:
            row = self._counted[key] = [0] * (_FIRST_BUCKET + len(BOUNDS_MS) + 1)
        return row


def write(counted: Counted) -> Counted:
    """Add to the rows, from a thread; gives what could not be written now."""
    keys = sorted(counted)  # in one order everywhere: gateways that write at once wait, and never for each other
    for start in range(0, len(keys), _AT_ONCE):
        try:
            _add([(key, counted[key]) for key in keys[start : start + _AT_ONCE]])
        except Exception as error:  # noqa: BLE001 - counting must never stop what it counts
            logger.warning("traffic is counted later: %s", error)
            return {key: counted[key] for key in keys[start:]}
    return {}


def _add(rows: Sequence[tuple[Key, list[float]]]) -> None:
    # Revisions are deleted; one that is deleted right now is found out at the commit, and left out the next time.
    found = Revision.objects.filter(pk__in={key[0] for key, _ in rows})
    there = dict(found.values_list("pk", "deployment__name"))
    if left := [row for row in rows if row[0][0] in there]:
        _upsert(left)
    for (revision, _), values in left:
        tell(there[revision], values)


def _upsert(rows: Sequence[tuple[Key, list[float]]]) -> None:
    """One statement, by hand: the ORM's upsert replaces values and can't add to them."""
    table = connection.ops.quote_name(TrafficMinute._meta.db_table)
    one = f"({', '.join(['%s'] * (2 + len(_COUNTS)))})"
    adding = ", ".join(f"{name} = {table}.{name} + excluded.{name}" for name in _COUNTS)
    statement = (
        f"INSERT INTO {table} (revision_id, minute, {', '.join(_COUNTS)}) VALUES {', '.join([one] * len(rows))} "  # noqa: S608
        f"ON CONFLICT (revision_id, minute) DO UPDATE SET {adding}"
    )
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, [value for key, values in rows for value in (*key, *values)])
