"""The state of the table of runs, as its URL carries it: a shared address shows the same table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlencode

from django.http import QueryDict

from apps.core.http import ActorRequest
from apps.experiments.models import RunStatus
from apps.experiments.selectors.run_table import Columns

COLUMNS_COOKIE = "slipway_columns"
COOKIE_AGE = 365 * 24 * 60 * 60
# Browsers keep 4 kB of a cookie; a longer choice lives in the URL alone.
_COOKIE_AT_MOST = 3_500
_MAX_COLUMNS = 200
DEFAULT_SORT = "-started"

_ATTRIBUTES = {
    "started": "start_time",
    "ended": "end_time",
    "name": "run_name",
    "status": "status",
    "user": "user_id",
}


@dataclass(frozen=True, slots=True)
class RunQuery:
    """Filter text, statuses, order, whether nested runs are folded under their parents, and the chosen columns."""

    text: str = ""
    statuses: tuple[str, ...] = ()
    sort: str = DEFAULT_SORT
    flat: bool = False
    after: str = ""
    columns: Columns | None = None

    @classmethod
    def read(cls, request: ActorRequest) -> RunQuery:
        """From the URL; columns also from the cookie of this experiment."""
        given = request.GET
        statuses = tuple(one for one in RunStatus.values if one in given.getlist("status"))
        return cls(
            text=given.get("q", "").strip(),
            statuses=statuses,
            sort=given.get("sort", "") or DEFAULT_SORT,
            flat=given.get("flat", "") == "1",
            after=given.get("after", ""),
            columns=_columns(given, request.COOKIES.get(COLUMNS_COOKIE, "")),
        )

    @property
    def is_narrowed(self) -> bool:
        """Whether runs may be left out: then nested runs stand in the list like all others."""
        return bool(self.text or self.statuses)

    @property
    def folds(self) -> bool:
        """Whether nested runs are folded under their parents."""
        return not self.flat and not self.is_narrowed

    @property
    def filter_text(self) -> str:
        """The filter and the statuses in the protocol's language."""
        statuses = " OR ".join(f"attributes.status = '{one}'" for one in self.statuses)
        parts = [f"({self.text})" if self.text and self.statuses else self.text, f"({statuses})" if statuses else ""]
        return " AND ".join(part for part in parts if part)

    @property
    def order_by(self) -> list[str]:
        """The order in the protocol's language."""
        name, direction = self.sort.removeprefix("-"), "DESC" if self.sort.startswith("-") else "ASC"
        group, dot, key = name.partition(".")
        if dot and group in ("metrics", "params", "tags"):
            mark = '"' if "`" in key else "`"
            return [f"{group}.{mark}{key}{mark} {direction}"]
        return [f"attributes.{_ATTRIBUTES.get(name, 'start_time')} {direction}"]

    def url_state(self, columns: Iterable[str] = ()) -> str:
        """As a query string, without the place of the page."""
        pairs = [("q", self.text), ("sort", "" if self.sort == DEFAULT_SORT else self.sort), ("flat", "1" * self.flat)]
        pairs += [("status", one) for one in self.statuses] + [("col", one) for one in columns]
        return urlencode([(name, value) for name, value in pairs if value])


def cookie_of(columns: Columns) -> str:
    """The choice as a cookie's value; empty where it is too long for one."""
    value = "~".join(quote(key, safe=".") for key in columns.keys)
    return value if len(value) <= _COOKIE_AT_MOST else ""


def _columns(given: QueryDict, cookie: str) -> Columns | None:
    if "reset" in given:
        return None
    if "col" in given:
        return Columns.parse(given.getlist("col")[:_MAX_COLUMNS])
    return Columns.parse(unquote(key) for key in cookie.split("~")) if cookie else None
