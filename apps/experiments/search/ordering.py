"""`order_by` clauses, and pages that continue after a row instead of counting rows.

Every order is a list of terms that are never null: a field that may be missing is two terms, whether it is there and
its value. The last term is unique. So a page starts after the values of the row before, which a signed token carries:
rows that come or go meanwhile shift nothing, and a far page costs what a near one does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from typing import Any, TypeVar

from django.db.models import (
    Case,
    F,
    FilteredRelation,
    FloatField,
    IntegerField,
    Model,
    Q,
    QuerySet,
    TextField,
    Value,
    When,
)
from django.db.models.functions import Coalesce

from apps.core.errors import InvalidInput
from apps.core.pagination import Page, decode_token, encode_token
from apps.experiments.search.grammars import Grammar
from apps.experiments.search.lookups import Bytewise, Head
from apps.experiments.search.nodes import Field, Kind
from apps.experiments.search.tokens import Sort, tokenize

MAX_CLAUSES = 10
MAX_CLAUSE_LENGTH = 1_000

M = TypeVar("M", bound=Model)


@dataclass(frozen=True, slots=True)
class Clause:
    """One parsed clause."""

    field: Field
    descending: bool


@dataclass(frozen=True, slots=True)
class Term:
    """A column or annotation that is never null, and its direction."""

    name: str
    descending: bool = False


@dataclass(slots=True)
class Order:
    """The terms of an order, with the joins, annotations and conditions that they need."""

    terms: list[Term] = field(default_factory=list)
    joins: dict[str, FilteredRelation] = field(default_factory=dict)
    annotations: dict[str, Any] = field(default_factory=dict)
    where: Q = field(default_factory=Q)

    def add(self, descending: bool, rank: Any, value: Any) -> None:
        """Sort by `rank`, always upwards, then by `value` where rank is equal."""
        number = len(self.annotations)
        names = (f"order_{number}", f"order_{number + 1}")
        self.annotations |= {names[0]: rank, names[1]: value}
        self.terms += [Term(names[0]), Term(names[1], descending)]

    def add_joined(self, descending: bool, relation: str, key: str, *, is_metric: bool) -> None:
        """Sort by the value under `key` in a related table; rows without it come last, a NaN just before them."""
        joined = self._join(relation, key)
        if is_metric:
            self.add(descending, *_metric_terms(joined))
        else:
            self.add(descending, missing_last(f"{joined}__value"), text_term(f"{joined}__value"))

    def add_known_metric(self, descending: bool, key: str, condition: Callable[[str, str], Q]) -> None:
        """Sort by a metric that is a number in every row, because of `condition(name of value, name of is_nan)`.

        Without ranks the index over values gives the rows in order, and the statement ends with the page.
        """
        joined = self._join("series", key)
        names = (f"{joined}_value", f"{joined}_nan")
        self.annotations |= {names[0]: F(f"{joined}__last_value"), names[1]: F(f"{joined}__last_is_nan")}
        self.terms.append(Term(names[0], descending))
        self.where &= condition(*names)

    def _join(self, relation: str, key: str) -> str:
        joined = f"joined_{len(self.joins)}"
        self.joins[joined] = FilteredRelation(relation, condition=Q((f"{relation}__key", key)))
        return joined


def parse_order(clauses: Sequence[str], grammar: Grammar, orderable: frozenset[str]) -> list[Clause]:
    """The clauses of `order_by`. Raises `InvalidInput` for unknown fields, and for a field named twice."""
    if len(clauses) > MAX_CLAUSES:
        raise InvalidInput(f"At most {MAX_CLAUSES} order_by clauses are taken.")
    parsed = [_clause(text, grammar, orderable) for text in clauses]
    if len({clause.field for clause in parsed}) < len(parsed):
        raise InvalidInput(f"`order_by` contains duplicate fields: {list(clauses)}")
    return parsed


def take_page(rows: QuerySet[M], order: Order, *, fingerprint: str, page_token: str, max_results: int) -> Page[int]:
    """The primary keys of one page, in order. One statement."""
    rows = rows.annotate(**order.joins).annotate(**order.annotations).filter(order.where)
    if page_token:
        rows = rows.filter(_after(order.terms, decode_token(fingerprint, page_token)))
    names = [term.name for term in order.terms]
    found = list(rows.order_by(*(_ordered(term) for term in order.terms)).values_list("pk", *names)[: max_results + 1])
    more = len(found) > max_results
    page = found[:max_results]
    token = encode_token(fingerprint, list(page[-1][1:])) if more else None
    return Page([row[0] for row in page], token)


def check_max_results(value: int, largest: int = 50_000) -> int:
    """`value`, if a page can have it. Raises `InvalidInput` in the protocol's words."""
    if value < 1:
        raise InvalidInput(f"Invalid value {value} for parameter 'max_results' supplied. It must be a positive integer")
    if value > largest:
        raise InvalidInput(f"Invalid value {value} for parameter 'max_results' supplied. It must be at most {largest}")
    return value


def missing_last(path: str) -> Any:
    """0 where `path` has a value, 1 where it has none."""
    missing = Q((f"{path}__isnull", True))
    return Case(When(missing, then=Value(1)), default=Value(0), output_field=IntegerField())


def text_term(path: str) -> Any:
    """The beginning of a text, bytewise: what indexes hold, and what a token can carry."""
    return Bytewise(Coalesce(Head(F(path)), Value(""), output_field=TextField()))


def _metric_terms(joined: str) -> tuple[Any, Any]:
    is_nan, value = f"{joined}__last_is_nan", f"{joined}__last_value"
    rank = Case(
        When(Q((is_nan, True)), then=Value(1)),
        When(Q((f"{value}__isnull", True)), then=Value(2)),
        default=Value(0),
        output_field=IntegerField(),
    )
    return rank, Coalesce(F(value), Value(0.0), output_field=FloatField())


def _after(terms: Sequence[Term], position: Sequence[Any]) -> Q:
    if len(position) != len(terms):
        raise InvalidInput("Invalid page token")
    steps = []
    for number, (term, value) in enumerate(zip(terms, position, strict=True)):
        equal = [(terms[place].name, position[place]) for place in range(number)]
        steps.append(Q(*equal, (f"{term.name}__{'lt' if term.descending else 'gt'}", value)))
    first = terms[0]
    # Says nothing new, but lets an index range start at the right place.
    return Q((f"{first.name}__{'lte' if first.descending else 'gte'}", position[0])) & reduce(or_, steps)


def _ordered(term: Term) -> Any:
    return F(term.name).desc() if term.descending else F(term.name).asc()


def _clause(text: str, grammar: Grammar, orderable: frozenset[str]) -> Clause:
    unreadable = InvalidInput(f"Invalid order_by clause '{text[:200]}'. Could not be parsed.")
    if len(text) > MAX_CLAUSE_LENGTH:
        raise unreadable
    try:
        *words, _ = tokenize(text)
    except InvalidInput as error:
        raise unreadable from error
    if not 1 <= len(words) <= 2 or any(word.sort is not Sort.WORD for word in words):
        raise unreadable
    direction = words[1].text.upper() if len(words) == 2 else "ASC"
    if direction not in ("ASC", "DESC"):
        raise InvalidInput(f"Invalid ordering key in order_by clause '{text[:200]}'.")
    found = grammar.field(words[0].text)
    if found.kind is Kind.ATTRIBUTE and words[0].text.rpartition(".")[2].strip("`\"'") not in orderable:
        raise InvalidInput(f"Invalid attribute key '{words[0].text}' specified. Valid keys are '{sorted(orderable)}'")
    return Clause(found, direction == "DESC")
