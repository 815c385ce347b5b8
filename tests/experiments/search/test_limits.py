from __future__ import annotations

import pytest
from django.db import connection
from pytest_django import DjangoAssertNumQueries

from apps.core.errors import InvalidInput
from apps.experiments.search import limits
from apps.experiments.search.grammars import RUNS
from apps.experiments.search.parser import parse_filter

_LONG = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 1000000000) SELECT count(*) FROM c"


@pytest.mark.django_db
def test_a_search_that_takes_too_long_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "SECONDS", 0.05)
    slow = parse_filter("tags.a LIKE '%x%'", RUNS)
    with pytest.raises(InvalidInput, match="make its filter simpler"), limits.bounded(slow):
        _execute(_LONG)
    assert _execute("SELECT 1") == (1,)


@pytest.mark.django_db
def test_a_simple_filter_costs_no_statement(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(1), limits.bounded(parse_filter("tags.a = 'x'", RUNS)):
        _execute("SELECT 1")


def _execute(sql: str) -> object:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()
