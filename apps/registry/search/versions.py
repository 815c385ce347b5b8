"""Searching versions, of models or of prompts."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Exists, F, OuterRef, Q

from apps.core.actor import Actor
from apps.core.errors import InvalidInput
from apps.core.pagination import Page, query_fingerprint
from apps.experiments.search.conditions import condition, indexed_condition, text_condition, whole_number_condition
from apps.experiments.search.limits import bounded
from apps.experiments.search.lookups import Bytewise
from apps.experiments.search.nodes import Comparison, Kind
from apps.experiments.search.ordering import Order, Term, parse_order, take_page
from apps.experiments.search.parser import parse_filter
from apps.registry.models import ModelVersion, ModelVersionTag
from apps.registry.search.grammars import VERSIONS
from apps.registry.search.prompts import is_about_prompts, wants_prompts

_ORDERABLE = frozenset({"name", "version_number", "creation_timestamp", "last_updated_timestamp"})
_ORDER_COLUMNS = {
    "name": "order_name",
    "version_number": "number",
    "creation_timestamp": "created_ms",
    "last_updated_timestamp": "updated_ms",
}
_TEXTS = {"name": "model__name", "run_id": "run_id"}
_NATURAL = [Term("updated_ms", descending=True), Term("order_name"), Term("number", descending=True)]


def search_versions(
    actor: Actor, *, text: str = "", order_by: Sequence[str] = (), max_results: int = 10_000, page_token: str = ""
) -> Page[int]:
    """Primary keys of a page of the versions that are listed for the caller; of prompts where the filter asks for them.

    One statement. Raises `InvalidInput` for a filter or order that can't be read.
    """
    node = parse_filter(text, VERSIONS)
    order = _order(order_by)
    prompts = wants_prompts(node)
    rows = ModelVersion.objects.listed_for(actor).filter(model__is_prompt=prompts)
    if node is not None:
        rows = rows.filter(condition(node, lambda one: _compare(one, prompts)))
    fingerprint = query_fingerprint(actor, "model-versions", text, list(order_by))
    with bounded(node):
        return take_page(rows, order, fingerprint=fingerprint, page_token=page_token, max_results=max_results)


def _order(clauses: Sequence[str]) -> Order:
    order = Order(annotations={"order_name": Bytewise(F("model__name"))})
    for clause in parse_order(clauses, VERSIONS, _ORDERABLE):
        if clause.field.kind is not Kind.ATTRIBUTE:
            raise InvalidInput(f"Invalid order_by entity: {clause.field.kind}")
        order.terms.append(Term(_ORDER_COLUMNS[clause.field.key], clause.descending))
    named = {term.name for term in order.terms}
    order.terms += [term for term in (_NATURAL[1:] if named else _NATURAL) if term.name not in named]
    order.terms.append(Term("pk"))
    return order


def _compare(one: Comparison, prompts: bool) -> Q:
    key = one.field.key
    if is_about_prompts(one):
        # Whose versions they are has been decided by the model.
        return Q()
    if one.field.kind is Kind.TAG:
        rows = ModelVersionTag.objects.filter(version=OuterRef("pk"), key=key)
        return Q(Exists(rows.filter(indexed_condition(one.op, one.value))))
    if VERSIONS.is_numeric(one.field):
        return whole_number_condition(_ORDER_COLUMNS[key], one.op, one.value)
    if key == "source_path":
        return indexed_condition(one.op, one.value, "source")
    return text_condition(_TEXTS[key], one.op, one.value)
