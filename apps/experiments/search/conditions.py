"""From the tree to SQL conditions: what the three searches share."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from functools import reduce
from operator import and_, or_

from django.db.models import Q

from apps.experiments.models.runs import INDEXED_LENGTH
from apps.experiments.search import lookups  # noqa: F401 - registers `like`, `ilike` and `head`
from apps.experiments.search.nodes import And, Comparison, Node, Not, Op, Value

_NUMERIC = {Op.LT: "lt", Op.LE: "lte", Op.GT: "gt", Op.GE: "gte", Op.EQ: "exact"}
_LARGEST = 2**63 - 1
NOTHING = Q(pk__in=[])


def condition(node: Node, compare: Callable[[Comparison], Q]) -> Q:
    """The tree as one condition; `compare` makes that of a comparison, which must never be null in SQL."""
    if isinstance(node, Comparison):
        return compare(node)
    if isinstance(node, Not):
        return ~condition(node.part, compare)
    parts = [condition(part, compare) for part in node.parts]
    return reduce(and_ if isinstance(node, And) else or_, parts)


def text_condition(path: str, op: Op, value: Value) -> Q:
    """A text column against a text or a list of them."""
    match op:
        case Op.EQ:
            return Q((path, value))
        case Op.NE:
            return ~Q((path, value))
        case Op.IN:
            return Q((f"{path}__in", value))
        case Op.NOT_IN:
            return ~Q((f"{path}__in", value))
        case _:
            return Q((f"{path}__{op.lower()}", value))


def indexed_condition(op: Op, value: Value, path: str = "value") -> Q:
    """Like `text_condition`, on a column that has an index over its beginning."""
    if op is Op.EQ and isinstance(value, str):
        # A text shorter than what is indexed is equal if its beginning is; to say so twice misleads the planner.
        rest = {} if len(value) < INDEXED_LENGTH else {path: value}
        return Q(**{f"{path}__head": value[:INDEXED_LENGTH]}, **rest)
    return text_condition(path, op, value)


def whole_number_condition(path: str, op: Op, value: Value) -> Q:
    """A nullable column of whole numbers against any number; null matches nothing."""
    number = _clamped(value)
    present = Q((f"{path}__isnull", False))
    if op is Op.NE:
        return present & ~Q((path, number)) if number == math.floor(number) else present
    if op is Op.EQ and number != math.floor(number):
        return NOTHING
    # Rounding towards the side that keeps the meaning: over 2.5 is over 2, at least 2.5 is at least 3.
    rounded = math.floor(number) if op in (Op.GT, Op.LE, Op.EQ) else math.ceil(number)
    return present & Q((f"{path}__{_NUMERIC[op]}", rounded))


def double_condition(path: str, nan_path: str, op: Op, value: Value) -> Q:
    """A stored double against a number. A NaN differs from every number and compares with none."""
    number = _stored(value)
    if op is Op.NE:
        return Q((nan_path, True)) | ~Q((path, number))
    return Q((nan_path, False), (f"{path}__{_NUMERIC[op]}", number))


def _clamped(value: Value) -> int | float:
    return max(-_LARGEST, min(_LARGEST, _number(value)))


def _stored(value: Value) -> float:
    """Infinities are stored as the largest finite double."""
    return max(-sys.float_info.max, min(sys.float_info.max, float(_number(value))))


def _number(value: Value) -> int | float:
    if isinstance(value, int | float):
        return value
    raise TypeError(f"{value!r} reached a comparison of numbers")
