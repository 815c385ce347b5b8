"""Searching logged models."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Case, CharField, Exists, F, Model, OuterRef, Q, Subquery, TextField, Value, When
from django.db.models.functions import Cast, Coalesce, Concat
from django.db.models.lookups import IsNull

from apps.core.actor import Actor
from apps.core.errors import InvalidInput
from apps.core.pagination import Page, query_fingerprint
from apps.experiments.models import LoggedModel, LoggedModelMetric, LoggedModelParam, LoggedModelStatus, LoggedModelTag
from apps.experiments.search.conditions import condition, double_condition, text_condition, whole_number_condition
from apps.experiments.search.grammars import LOGGED_MODELS
from apps.experiments.search.limits import bounded
from apps.experiments.search.nodes import Comparison, Kind, Node, comparisons
from apps.experiments.search.ordering import MAX_CLAUSES, Order, Term, take_page
from apps.experiments.search.parser import parse_filter

_COLUMNS = {
    "name": "name",
    "model_id": "model_id",
    "status": "status",
    "model_type": "model_type",
    "source_run_id": "source_run_id",
    "experiment_id": "experiment_text",
    "artifact_uri": "folder",
    "created": "created_ms",
    "updated": "updated_ms",
}
_TABLES: dict[Kind, type[Model]] = {Kind.PARAM: LoggedModelParam, Kind.TAG: LoggedModelTag}
# The protocol's server compares the status as the number of its enum.
_STATUS_BY_NUMBER = {str(number): status.value for number, status in enumerate(LoggedModelStatus)}


@dataclass(frozen=True, slots=True)
class DatasetWanted:
    """A dataset by name and, unless empty, digest."""

    name: str
    digest: str = ""

    def condition(self) -> Q:
        """For metrics that were logged on it."""
        wanted = Q(dataset_name=self.name) if self.name else Q()
        return wanted & Q(dataset_digest=self.digest) if self.digest else wanted


@dataclass(frozen=True, slots=True)
class ModelClause:
    """One clause of the order: an attribute, or the newest value of `metrics.KEY`, perhaps on a dataset."""

    field: str
    ascending: bool = True
    dataset: DatasetWanted = DatasetWanted("")


def search_logged_models(
    actor: Actor,
    *,
    experiment_ids: Sequence[int],
    text: str = "",
    datasets: Sequence[DatasetWanted] = (),
    order_by: Sequence[ModelClause] = (),
    max_results: int = 100,
    page_token: str = "",
) -> Page[int]:
    """Primary keys of a page of the models of experiments that the caller may read (the caller has checked that).

    One statement, as `search_runs`. Conditions on metrics are about metrics on one of `datasets`, where there are any.
    """
    node = parse_filter(text, LOGGED_MODELS)
    order = _order(order_by)
    rows = LoggedModel.objects.active().filter(experiment_id__in=experiment_ids)
    rows = rows.annotate(folder=_artifact_uri(), experiment_text=Cast("experiment_id", CharField()))
    on_dataset = reduce(or_, (dataset.condition() for dataset in datasets), Q())
    if node is not None:
        rows = rows.filter(condition(node, lambda one: _compare(one, on_dataset)))
    if datasets and not _has_metrics(node):
        rows = rows.filter(Exists(LoggedModelMetric.objects.filter(on_dataset, model=OuterRef("pk"))))
    shape = [[astuple(item) for item in items] for items in (datasets, order_by)]
    fingerprint = query_fingerprint(actor, "logged-models", sorted(experiment_ids), text, shape)
    with bounded(node):
        return take_page(rows, order, fingerprint=fingerprint, page_token=page_token, max_results=max_results)


def _order(clauses: Sequence[ModelClause]) -> Order:
    if len(clauses) > MAX_CLAUSES:
        raise InvalidInput(f"At most {MAX_CLAUSES} order_by clauses are taken.")
    order = Order()
    for clause in clauses:
        prefix, dot, key = clause.field.partition(".")
        if not dot:
            _order_by_attribute(order, clause)
        elif prefix == "metrics":
            value = _newest_metric(key, clause.dataset)
            order.add(not clause.ascending, _absent(value), Coalesce(value, Value(0.0)))
        else:
            raise InvalidInput(f"Invalid order by field name: {clause.field}. Only metrics are supported.")
    names = {term.name for term in order.terms}
    order.terms += [] if "created_ms" in names else [Term("created_ms", descending=True)]
    order.terms += [] if "model_id" in names else [Term("model_id")]
    return order


def _order_by_attribute(order: Order, clause: ModelClause) -> None:
    if clause.field not in LOGGED_MODELS.attributes:
        raise InvalidInput(f"Invalid order by field name: {clause.field}")
    column = _COLUMNS[LOGGED_MODELS.attributes[clause.field]]
    term = Term("experiment_id" if column == "experiment_text" else column, not clause.ascending)
    if term.name not in {known.name for known in order.terms}:
        order.terms.append(term)


def _compare(one: Comparison, on_dataset: Q) -> Q:
    key, op, value = one.field.key, one.op, one.value
    if one.field.kind is Kind.METRIC:
        by_value = double_condition("value", "is_nan", op, value)
        return Q(Exists(LoggedModelMetric.objects.filter(by_value, on_dataset, model=OuterRef("pk"), key=key)))
    if one.field.kind is not Kind.ATTRIBUTE:
        rows = _TABLES[one.field.kind]._default_manager.filter(text_condition("value", op, value))
        return Q(Exists(rows.filter(model=OuterRef("pk"), key=key)))
    if LOGGED_MODELS.is_numeric(one.field):
        return whole_number_condition(_COLUMNS[key], op, value)
    if key == "status" and isinstance(value, str):
        value = _STATUS_BY_NUMBER.get(value, value)
    return text_condition(_COLUMNS[key], op, value)


def _has_metrics(node: Node | None) -> bool:
    return node is not None and any(one.field.kind is Kind.METRIC for one in comparisons(node))


def _newest_metric(key: str, dataset: DatasetWanted) -> Any:
    rows = LoggedModelMetric.objects.filter(dataset.condition(), model=OuterRef("pk"), key=key)
    number = Case(When(is_nan=True, then=None), default=F("value"))
    return Subquery(rows.order_by("-timestamp", "-step", "run_id").values_list(number)[:1])


def _absent(value: Any) -> Any:
    return Case(When(IsNull(value, True), then=Value(1)), default=Value(0))


def _artifact_uri() -> Any:
    own = Concat(Value("mlflow-artifacts:/"), Cast("experiment_id", CharField()), output_field=TextField())
    given = Cast("experiment__artifact_location", TextField())
    root = Case(When(experiment__artifact_location="", then=own), default=given, output_field=TextField())
    return Concat(root, Value("/models/"), F("model_id"), Value("/artifacts"), output_field=TextField())
