"""Searching experiments."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Exists, F, OuterRef, Q

from apps.core.actor import Actor
from apps.core.errors import InvalidInput
from apps.core.pagination import Page, query_fingerprint
from apps.experiments.access import experiment_key
from apps.experiments.models import Experiment, ExperimentTag
from apps.experiments.search.conditions import condition, text_condition, whole_number_condition
from apps.experiments.search.grammars import EXPERIMENTS
from apps.experiments.search.limits import bounded
from apps.experiments.search.lookups import Bytewise
from apps.experiments.search.nodes import Comparison, Kind, Op
from apps.experiments.search.ordering import Order, Term, parse_order, take_page
from apps.experiments.search.parser import parse_filter
from apps.experiments.search.views import View, in_view

_COLUMNS = {
    "name": "order_name",
    "experiment_id": "pk",
    "creation_time": "created_ms",
    "last_update_time": "updated_ms",
}


def search_experiments(
    actor: Actor,
    *,
    text: str = "",
    order_by: Sequence[str] = (),
    view: View = View.ACTIVE_ONLY,
    max_results: int = 1000,
    page_token: str = "",
) -> Page[int]:
    """Primary keys of a page of the experiments that are listed for the caller. One statement, as `search_runs`."""
    node = parse_filter(text, EXPERIMENTS)
    order = _order(order_by)
    rows = in_view(Experiment.objects.listed_for(actor), view)
    if node is not None:
        rows = rows.filter(condition(node, lambda one: _compare(actor, one)))
    fingerprint = query_fingerprint(actor, "experiments", text, list(order_by), view)
    with bounded(node):
        return take_page(rows, order, fingerprint=fingerprint, page_token=page_token, max_results=max_results)


def _order(clauses: Sequence[str]) -> Order:
    order = Order(annotations={"order_name": Bytewise(F("name"))})
    parsed = parse_order(clauses, EXPERIMENTS, frozenset(EXPERIMENTS.attributes))
    for clause in parsed:
        if clause.field.kind is not Kind.ATTRIBUTE:
            raise InvalidInput(f"Invalid order_by entity: {clause.field.kind}")
        order.terms.append(Term(_COLUMNS[clause.field.key], clause.descending))
    if not parsed:
        order.terms = [Term("created_ms", descending=True), Term("pk")]
    elif "pk" not in {term.name for term in order.terms}:
        order.terms.append(Term("pk", descending=True))
    return order


def _compare(actor: Actor, one: Comparison) -> Q:
    key, op = one.field.key, one.op
    if one.field.kind is Kind.TAG:
        return _compare_tag(one)
    if key == "experiment_id":
        return _compare_id(actor, one)
    if key == "name":
        return text_condition("name", op, one.value)
    if not isinstance(one.value, int):
        raise InvalidInput(f"Invalid value for numeric attribute '{key}': '{one.value}'")
    return whole_number_condition(_COLUMNS[key], op, one.value)


def _compare_id(actor: Actor, one: Comparison) -> Q:
    if one.op in (Op.LIKE, Op.ILIKE):
        raise InvalidInput(f"Invalid comparator for experiment_id: {one.op}")
    texts = set(one.value) if isinstance(one.value, tuple) else {str(one.value)}
    found = Q(pk__in={experiment_key(actor, text) for text in texts})
    return ~found if one.op in (Op.NE, Op.NOT_IN) else found


def _compare_tag(one: Comparison) -> Q:
    rows = ExperimentTag.objects.filter(experiment=OuterRef("pk"), key=one.field.key)
    if one.op in (Op.IS_NULL, Op.IS_NOT_NULL):
        there = Q(Exists(rows))
        return there if one.op is Op.IS_NOT_NULL else ~there
    return Q(Exists(rows.filter(text_condition("value", one.op, one.value))))
