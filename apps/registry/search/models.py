"""Searching registered models, and prompts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

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
from apps.registry.models import RegisteredModel, RegisteredModelTag
from apps.registry.search.grammars import MODELS
from apps.registry.search.prompts import is_about_prompts, wants_prompts

_COLUMNS = {"name": "order_name", "creation_timestamp": "created_ms", "last_updated_timestamp": "updated_ms"}
_COMPARES = re.compile(r"[=<>]|\sI?LIKE\s", re.IGNORECASE)


def search_models(
    actor: Actor, *, text: str = "", order_by: Sequence[str] = (), max_results: int = 100, page_token: str = ""
) -> Page[int]:
    """Primary keys of a page of the models that are listed for the caller; prompts where the filter asks for them.

    One statement. Raises `InvalidInput` for a filter or order that can't be read.
    """
    node = parse_filter(text, MODELS)
    order = _order(order_by)
    prompts = wants_prompts(node)
    rows = RegisteredModel.objects.listed_for(actor).filter(is_prompt=prompts)
    if node is not None:
        rows = rows.filter(condition(node, lambda one: _compare(one, prompts)))
    fingerprint = query_fingerprint(actor, "registered-models", text, list(order_by))
    with bounded(node):
        return take_page(rows, order, fingerprint=fingerprint, page_token=page_token, max_results=max_results)


def condition_of(text: str, *, prompts: bool = False) -> Q:
    """What a list searches for: a filter where `text` compares something, else a part of the name.

    Look for its rows `within_time`. Raises `InvalidInput` for a filter that can't be read.
    """
    if not _is_filter(text):
        return Q(name__icontains=text)
    node = parse_filter(text, MODELS)
    return Q() if node is None else condition(node, lambda one: _compare(one, prompts))


@contextmanager
def within_time(text: str) -> Iterator[None]:
    """End statements of a filter that take too long. Raises `InvalidInput` then, and for one that can't be read."""
    with bounded(parse_filter(text, MODELS) if _is_filter(text) else None):
        yield


def _is_filter(text: str) -> bool:
    return _COMPARES.search(text) is not None


def _order(clauses: Sequence[str]) -> Order:
    order = Order(annotations={"order_name": Bytewise(F("name"))})
    for clause in parse_order(clauses, MODELS, frozenset(MODELS.attributes)):
        if clause.field.kind is not Kind.ATTRIBUTE:
            raise InvalidInput(f"Invalid order_by entity: {clause.field.kind}")
        order.terms.append(Term(_COLUMNS[clause.field.key], clause.descending))
    if "order_name" not in {term.name for term in order.terms}:
        order.terms.append(Term("order_name"))
    order.terms.append(Term("pk"))
    return order


def _compare(one: Comparison, prompts: bool) -> Q:
    if is_about_prompts(one) and not prompts:
        # What is no prompt has no such tag to compare.
        return Q()
    if one.field.kind is Kind.TAG:
        rows = RegisteredModelTag.objects.filter(model=OuterRef("pk"), key=one.field.key)
        return Q(Exists(rows.filter(indexed_condition(one.op, one.value))))
    if MODELS.is_numeric(one.field):
        return whole_number_condition(_COLUMNS[one.field.key], one.op, one.value)
    return text_condition("name", one.op, one.value)
