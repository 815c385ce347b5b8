"""Random filters over runs, and what they mean in plain Python."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from apps.experiments.search.nodes import And, Comparison, Field, Kind, Node, Not, Op, Or

KEYS = ("a", "b c", "d.e")
TEXTS = ("abc", "Abc", "a_c", "a%c", "", "x'y", "[a]*?", "a\\", "long " * 40)
PATTERNS = ("a%", "%C", "a_c", "a\\_c", "%", "", "[a]*?", "a\\", "x'%", "_bc")
NUMBERS = (-1.0, 0.0, 0.5, 2.0, 1e300)
TIMES: tuple[int | float, ...] = (999, 1000, 1001.5, 1002, 10**30)

_NUMERIC = (Op.EQ, Op.NE, Op.LT, Op.LE, Op.GT, Op.GE)


@dataclass
class Facts:
    """A run as the reference sees it."""

    name: str
    start: int
    end: int | None
    metrics: Mapping[str, float] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    datasets: Mapping[str, str] = field(default_factory=dict)


def trees() -> st.SearchStrategy[Node]:
    """Any tree whose keys are among `KEYS`."""
    return st.recursive(_comparisons(), _combined, max_leaves=8)


def _combined(inner: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    return st.one_of(several.map(And), several.map(Or), inner.map(Not))


def _comparisons() -> st.SearchStrategy[Node]:
    keys, texts = st.sampled_from(KEYS), st.sampled_from(TEXTS)

    def pairs(kind: Kind) -> st.SearchStrategy[Node]:
        fields = keys.map(lambda key: Field(kind, key))
        return st.one_of(
            st.builds(Comparison, fields, st.sampled_from((Op.EQ, Op.NE)), texts),
            st.builds(Comparison, fields, st.sampled_from((Op.LIKE, Op.ILIKE)), st.sampled_from(PATTERNS)),
            st.builds(Comparison, fields, st.sampled_from((Op.IS_NULL, Op.IS_NOT_NULL)), st.none()),
        )

    metrics = keys.map(lambda key: Field(Kind.METRIC, key))
    times = st.sampled_from(("start_time", "end_time")).map(lambda key: Field(Kind.ATTRIBUTE, key))
    dataset = st.just(Field(Kind.DATASET, "name"))
    lists = st.lists(texts, min_size=1, max_size=3).map(tuple)
    return st.one_of(
        pairs(Kind.PARAM),
        pairs(Kind.TAG),
        st.builds(Comparison, metrics, st.sampled_from(_NUMERIC), st.sampled_from(NUMBERS)),
        st.builds(Comparison, times, st.sampled_from(_NUMERIC), st.sampled_from(TIMES)),
        st.builds(Comparison, st.just(Field(Kind.ATTRIBUTE, "run_name")), st.sampled_from((Op.EQ, Op.NE)), texts),
        st.builds(Comparison, dataset, st.sampled_from((Op.EQ, Op.NE)), texts),
        st.builds(Comparison, dataset, st.sampled_from((Op.IN, Op.NOT_IN)), lists),
    )


def matches(node: Node, run: Facts) -> bool:
    """What a filter means: a comparison with what a run lacks is false."""
    if isinstance(node, Comparison):
        return _compare(node, run)
    if isinstance(node, Not):
        return not matches(node.part, run)
    return (all if isinstance(node, And) else any)(matches(part, run) for part in node.parts)


def _compare(one: Comparison, run: Facts) -> bool:
    if one.field.kind is Kind.DATASET:
        return any(_holds(name, one.op, one.value) for name in run.datasets)
    value = _value(one.field, run)
    if one.op in (Op.IS_NULL, Op.IS_NOT_NULL):
        return (value is None) is (one.op is Op.IS_NULL)
    return value is not None and _holds(value, one.op, one.value)


def _value(wanted: Field, run: Facts) -> Any:
    match wanted.kind:
        case Kind.METRIC:
            return run.metrics.get(wanted.key)
        case Kind.PARAM:
            return run.params.get(wanted.key)
        case Kind.TAG:
            return run.tags.get(wanted.key)
        case _:
            return {"run_name": run.name, "start_time": run.start, "end_time": run.end}[wanted.key]


def _holds(left: Any, op: Op, right: Any) -> bool:
    if isinstance(left, float) and math.isnan(left):
        return op is Op.NE
    match op:
        case Op.EQ | Op.NE:
            return bool((left == right) is (op is Op.EQ))
        case Op.IN | Op.NOT_IN:
            return (left in right) is (op is Op.IN)
        case Op.LIKE | Op.ILIKE:
            flags = re.DOTALL | (re.IGNORECASE if op is Op.ILIKE else 0)
            return re.fullmatch(_regex(right), left, flags) is not None
        case _:
            return bool({Op.LT: left < right, Op.LE: left <= right, Op.GT: left > right, Op.GE: left >= right}[op])


def _regex(pattern: str) -> str:
    pieces = re.findall(r"\\.|.|\\$", pattern, re.DOTALL)
    return "".join({"%": ".*", "_": "."}.get(p, re.escape(p[1:] if len(p) == 2 else p)) for p in pieces)
