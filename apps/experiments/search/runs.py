"""Searching runs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial, reduce
from operator import and_
from typing import Any

from django.db.models import (
    BigIntegerField,
    Case,
    CharField,
    Exists,
    F,
    Model,
    OuterRef,
    Q,
    QuerySet,
    TextField,
    Value,
    When,
)
from django.db.models.functions import Cast, Coalesce, Concat

from apps.core.actor import Actor
from apps.core.errors import InvalidInput
from apps.core.pagination import Page, query_fingerprint
from apps.experiments.models import DatasetInput, Param, Run, RunTag, Series
from apps.experiments.search.conditions import (
    condition,
    double_condition,
    indexed_condition,
    text_condition,
    whole_number_condition,
)
from apps.experiments.search.grammars import RUN_ATTRIBUTES, RUNS
from apps.experiments.search.limits import bounded
from apps.experiments.search.nodes import Comparison, Field, Kind, Node, Op, comparisons, requirements
from apps.experiments.search.ordering import Order, Term, missing_last, parse_order, take_page, text_term
from apps.experiments.search.parser import parse_filter
from apps.experiments.search.views import View, in_view

_COLUMNS = {
    "run_id": "run_id",
    "run_name": "name",
    "status": "status",
    "user_id": "user_name",
    "start_time": "start_ms",
    "end_time": "end_ms",
    "artifact_uri": "artifact_uri",
}
_DATASET_COLUMNS = {"name": "dataset__name", "digest": "dataset__digest", "context": "context"}
_TABLES: dict[Kind, type[Model]] = {Kind.PARAM: Param, Kind.TAG: RunTag}
_RELATIONS = {Kind.METRIC: "series", Kind.PARAM: "params", Kind.TAG: "tags"}
_ORDERABLE = frozenset(RUN_ATTRIBUTES)


def search_runs(
    actor: Actor,
    *,
    experiment_ids: Sequence[int],
    text: str = "",
    order_by: Sequence[str] = (),
    view: View = View.ACTIVE_ONLY,
    max_results: int = 1000,
    page_token: str = "",
) -> Page[int]:
    """Primary keys of a page of runs of experiments that the caller may read (the caller has checked that).

    One statement; a filter that could be slow adds two for its time limit. Raises `InvalidInput`.
    """
    node = parse_filter(text, RUNS)
    order = run_order(order_by, node)
    rows = in_view(filter_runs(Run.objects.filter(experiment_id__in=experiment_ids), node), view)
    if _names(order_by, "artifact_uri"):
        rows = rows.alias(artifact_uri=_artifact_uri())
    fingerprint = query_fingerprint(actor, "runs", sorted(experiment_ids), text, list(order_by), view)
    with bounded(node):
        return take_page(rows, order, fingerprint=fingerprint, page_token=page_token, max_results=max_results)


def matching_runs(rows: QuerySet[Run], text: str) -> QuerySet[Run]:
    """`rows` that a filter of the protocol matches. Raises `InvalidInput`."""
    return filter_runs(rows, parse_filter(text, RUNS))


def filter_runs(rows: QuerySet[Run], node: Node | None) -> QuerySet[Run]:
    """`rows` that a tree matches; None is every row."""
    if node is None:
        return rows
    if any(one.field.key == "artifact_uri" for one in comparisons(node)):
        rows = rows.alias(artifact_uri=_artifact_uri())
    return rows.filter(condition(node, _compare))


def run_order(clauses: Sequence[str], node: Node | None = None) -> Order:
    """The order of the clauses, then the newest first, for rows that `node` matches."""
    order = Order()
    by_start = False
    for clause in parse_order(clauses, RUNS, _ORDERABLE):
        kind, key = clause.field.kind, clause.field.key
        if kind is Kind.DATASET:
            raise InvalidInput("Invalid identifier type 'dataset'")
        if kind is Kind.METRIC and (known := _numbers_under(key, node)):
            order.add_known_metric(clause.descending, key, partial(_all_of, known))
        elif kind is not Kind.ATTRIBUTE:
            order.add_joined(clause.descending, _RELATIONS[kind], key, is_metric=kind is Kind.METRIC)
        elif key == "start_time":
            by_start = True
            order.terms.append(Term("start_ms", clause.descending))
        else:
            _order_by_attribute(order, _COLUMNS[key], clause.descending)
    # Every run has a start, so that the index over it serves the default order.
    order.terms += [] if by_start else [Term("start_ms", descending=True)]
    order.terms.append(Term("pk"))
    return order


def _numbers_under(key: str, node: Node | None) -> list[Comparison]:
    """The comparisons by which every match has a number under this metric's key; a NaN is unequal to any number."""
    return [one for one in requirements(node) if one.field == Field(Kind.METRIC, key) and one.op is not Op.NE]


def _all_of(known: Sequence[Comparison], value_path: str, nan_path: str) -> Q:
    return reduce(and_, (double_condition(value_path, nan_path, one.op, one.value) for one in known))


def _order_by_attribute(order: Order, column: str, descending: bool) -> None:
    value: Any = text_term(column)
    if column == "end_ms":
        value = Coalesce(F("end_ms"), Value(0), output_field=BigIntegerField())
    order.add(descending, missing_last(column), value)


def _compare(one: Comparison) -> Q:
    match one.field.kind:
        case Kind.ATTRIBUTE:
            compare = whole_number_condition if RUNS.is_numeric(one.field) else text_condition
            return compare(_COLUMNS[one.field.key], one.op, one.value)
        case Kind.METRIC:
            by_value = double_condition("last_value", "last_is_nan", one.op, one.value)
            return Q(Exists(Series.objects.filter(by_value, run=OuterRef("pk"), key=one.field.key)))
        case Kind.DATASET:
            return _compare_dataset(one)
        case _:
            return _compare_pair(_TABLES[one.field.kind], one)


def _compare_pair(table: type[Model], one: Comparison) -> Q:
    rows = table._default_manager.filter(key=one.field.key)
    if one.op in (Op.IS_NULL, Op.IS_NOT_NULL):
        there = Q(Exists(rows.filter(run=OuterRef("pk"))))
        return there if one.op is Op.IS_NOT_NULL else ~there
    rows = rows.filter(indexed_condition(one.op, one.value))
    if one.op is Op.EQ:
        # The index by value finds few rows at once; SQLite would look at every run's own rows for an EXISTS.
        return Q(pk__in=rows.values("run_id"))
    return Q(Exists(rows.filter(run=OuterRef("pk"))))


def _compare_dataset(one: Comparison) -> Q:
    rows = DatasetInput.objects.filter(text_condition(_DATASET_COLUMNS[one.field.key], one.op, one.value))
    if one.field.key == "context":
        rows = rows.exclude(context="")
    return Q(Exists(rows.filter(run=OuterRef("pk"))))


def _artifact_uri() -> Any:
    own = Concat(Value("mlflow-artifacts:/"), Cast("experiment_id", CharField()), output_field=TextField())
    given = Cast("experiment__artifact_location", TextField())
    root = Case(When(experiment__artifact_location="", then=own), default=given, output_field=TextField())
    return Concat(root, Value("/"), F("run_id"), Value("/artifacts"), output_field=TextField())


def _names(order_by: Sequence[str], key: str) -> bool:
    return any(key in clause for clause in order_by)
