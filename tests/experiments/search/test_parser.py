"""The filter language: what it reads, what it refuses, and that printing a tree and reading it gives the tree."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.core.errors import InvalidInput
from apps.experiments.search.grammars import EXPERIMENTS, LOGGED_MODELS, RUNS, Grammar
from apps.experiments.search.nodes import And, Comparison, Field, Kind, Node, Not, Op, Or
from apps.experiments.search.parser import parse_filter
from tests.experiments.search.trees import trees


def _one(text: str, grammar: Grammar = RUNS) -> Comparison:
    node = parse_filter(text, grammar)
    assert isinstance(node, Comparison)
    return node


@pytest.mark.parametrize(
    ("text", "kind", "key"),
    [
        ("metrics.acc > 1", Kind.METRIC, "acc"),
        ("metric.`a b` > 1", Kind.METRIC, "a b"),
        ('metrics."a b" > 1', Kind.METRIC, "a b"),
        ("tags.'t.k' = 'x'", Kind.TAG, "t.k"),
        ("tag.mlflow.runName = 'x'", Kind.TAG, "mlflow.runName"),
        ("`params`.p = 'x'", Kind.PARAM, "p"),
        ("parameters.order = 'x'", Kind.PARAM, "order"),
        ("tags.日本 = 'x'", Kind.TAG, "日本"),
        ("metrics.1a > 1", Kind.METRIC, "1a"),
        ("attr.status = 'x'", Kind.ATTRIBUTE, "status"),
        ("run.run_id IN ('a', 'b')", Kind.ATTRIBUTE, "run_id"),
        ("Created > 1", Kind.ATTRIBUTE, "start_time"),
        ("`run name` = 'x'", Kind.ATTRIBUTE, "run_name"),
        ("attributes.`Run Name` = 'x'", Kind.ATTRIBUTE, "run_name"),
        ("datasets.`name` = 'x'", Kind.DATASET, "name"),
    ],
)
def test_fields(text: str, kind: Kind, key: str) -> None:
    assert _one(text).field == Field(kind, key)


@pytest.mark.parametrize(
    ("text", "op", "value"),
    [
        ('params.p = "it\'s"', Op.EQ, "it's"),
        ("params.p='it''s'", Op.EQ, "it's"),
        ("params.p\n=\t'abc'", Op.EQ, "abc"),
        ("params.p like 'a%'", Op.LIKE, "a%"),
        ("params.p IS NULL", Op.IS_NULL, None),
        ("tags.p is not null", Op.IS_NOT_NULL, None),
        ("run_id not in ('a',)", Op.NOT_IN, ("a",)),
        ("metrics.m > -1", Op.GT, -1.0),
        ("metrics.m > .5", Op.GT, 0.5),
        ("metrics.m <= 1e3", Op.LE, 1000.0),
        ("start_time >= 1002", Op.GE, 1002),
    ],
)
def test_operators_and_values(text: str, op: Op, value: object) -> None:
    assert (_one(text).op, _one(text).value) == (op, value)


@pytest.mark.parametrize(
    "text",
    [
        "params.p='a' AND params.q='b'",
        "AND params.p='a' and and params.q='b' AND",
        "params.p='a' params.q='b'",
        "(params.p='a') AND ((params.q='b'))",
    ],
)
def test_and_may_lead_trail_or_be_left_out(text: str) -> None:
    p, q = _one("params.p='a'"), _one("params.q='b'")
    assert parse_filter(text, RUNS) == And((p, q))


def test_and_binds_closer_than_or_and_not_closest() -> None:
    p, q, r = (_one(f"params.{key}='a'") for key in "pqr")
    assert parse_filter("NOT params.p='a' AND params.q='a' OR params.r='a'", RUNS) == Or((And((Not(p), q)), r))


def test_nothing_is_no_condition() -> None:
    assert parse_filter("", RUNS) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("params.p", "Invalid clause(s) in filter string: 'params.p'"),
        ("params.p =", "Invalid clause(s) in filter string"),
        ("params.p = abc", "Parameter value is either not quoted"),
        ("params.p = 5", "Expected a quoted string value for parameter"),
        ("params.p > 'a'", "Invalid comparator '>' not one of"),
        ("params.p == 'a'", "Invalid comparator '==' not one of"),
        ("params.p NOT LIKE 'a'", "Invalid comparator 'NOT LIKE' not one of"),
        ("params.p='unbalanced", "Invalid clause(s) in filter string"),
        ("params.p='a' -- x", "Invalid clause(s) in filter string"),
        ("params.p='a' ; DROP TABLE runs", "multiple expression"),
        ("' OR 1=1 --", "Invalid clause(s) in filter string"),
        ("1=1", "Expected 'Identifier' found '1'"),
        ("'a' = params.p", "Expected 'Identifier' found ''a''"),
        ("pg_sleep(9)", "Invalid clause(s) in filter string"),
        ("params.p='a' UNION SELECT 1", "Invalid clause(s) in filter string"),
        ("tags.a-b = 'x'", "Expected 'Identifier' found 'tags.a-b'"),
        ("metrics.acc > '0.6'", "Expected numeric value type for metric. Found '0.6'"),
        ("metrics.acc > +1", "Invalid clause(s) in filter string"),
        ("metrics.acc>0.1AND params.p='x'", "Invalid clause(s) in filter string"),
        ("metrics.acc IS NULL", "only supported for tags and params, not for 'metric' 'acc'"),
        ("end_time IS NULL", "only supported for tags and params"),
        ("start_time = '1'", "Expected numeric value type for numeric attribute: start_time"),
        ("status IN ('FINISHED')", "Only ['run_id'] attributes support comparison with a list"),
        ("run_id IN ()", "got empty list"),
        ("run_id IN (1)", "got different type in list"),
        ("foo.bar='x'", "Invalid entity type 'foo'"),
        ("Params.p='x'", "Invalid entity type 'Params'"),
        ("duration > 1", "Invalid attribute key 'duration' specified"),
        ("lifecycle_stage = 'active'", "Invalid attribute key 'lifecycle_stage' specified"),
        ("user__password = 'x'", "Invalid attribute key 'user__password' specified"),
        ("attributes.experiment__team = 'x'", "Invalid attribute key 'experiment__team' specified"),
        ("dataset.foo = 'x'", "Invalid dataset key 'foo' specified"),
        ("(params.p='x'", "a bracket is not closed"),
        (" ", "Could not be parsed"),
        ("(" * 5000, "nested more than"),
        ("NOT " * 5000 + "params.p='x'", "nested more than"),
        (" AND ".join(["params.p='x'"] * 5000), "more than 200 comparisons"),
        ("params.p LIKE '" + "%a" * 3000 + "'", "A pattern may have at most"),
        ("params.p = '" + "x" * 300_000 + "'", "The filter is too long"),
    ],
)
def test_what_it_refuses(text: str, words: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parse_filter(text, RUNS)
    assert words in refused.value.message


@pytest.mark.parametrize("text", ["attr.name = 'x'", "name IN ('a')", "name IS NULL", "tags.a > '1'", "metrics.a > 1"])
def test_what_experiments_refuse(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_filter(text, EXPERIMENTS)


@pytest.mark.parametrize("text", ["metric.acc > 1", "foo = 'x'", "params.a IS NULL", "created > 'a'", "params.a > '1'"])
def test_what_logged_models_refuse(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_filter(text, LOGGED_MODELS)


@given(trees())
@settings(max_examples=300, deadline=None)
def test_a_printed_tree_reads_back(tree: Node) -> None:
    assert parse_filter(str(tree), RUNS) == tree


@given(st.text(max_size=60))
@settings(max_examples=300, deadline=None)
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        parse_filter(text, RUNS)
    except InvalidInput:
        return
