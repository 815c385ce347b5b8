"""Every body, to MLflow's server and to ours: the same status and the same JSON."""

from __future__ import annotations

import io
import math
from typing import Any

import pandas as pd
import pytest

from tests.deployments.scoring.asking import ask, ask_mlflow
from tests.deployments.scoring.conftest import Loaded
from tests.deployments.scoring.models import IRIS

pytestmark = [pytest.mark.client, pytest.mark.xdist_group("scoring")]

ROWS = [[5.1, 3.5, 1.4, 0.2], [6.3, 2.5, 5.0, 1.9]]


def split(columns: Any, data: Any, **more: Any) -> dict[str, Any]:
    return {"dataframe_split": {"columns": columns, "data": data, **more}}


def records(columns: list[str], rows: list[list[Any]]) -> dict[str, Any]:
    return {"dataframe_records": [dict(zip(columns, row, strict=True)) for row in rows]}


FOR_IRIS: dict[str, Any] = {
    "split": split(IRIS, ROWS),
    "split of whole numbers": split(IRIS, [[5, 3, 1, 0], [6, 3, 5, 2]]),
    "split, mixed": split(IRIS, [[5, 3.5, 1, 0.2]]),
    "split in another order": split(IRIS[::-1], ROWS),
    "split with more columns": split([*IRIS, "more"], [[*row, 1] for row in ROWS]),
    "split with a column of texts more": split([*IRIS, "more"], [[*row, "x"] for row in ROWS]),
    "split with an index": split(IRIS, ROWS, index=[7, 9]),
    "split without columns": {"dataframe_split": {"data": ROWS}},
    "split, a column missing": split(IRIS[:3], [row[:3] for row in ROWS]),
    "split, a column twice": split([*IRIS[:3], IRIS[0]], ROWS),
    "split, null": split(IRIS, [[None, 3.5, 1.4, 0.2]]),
    "split, a text": split(IRIS, [["5.1", 3.5, 1.4, 0.2]]),
    "split, a word": split(IRIS, [["long", 3.5, 1.4, 0.2]]),
    "split, booleans": split(IRIS, [[True, 3.5, 1.4, 0.2], [False, 3.5, 1.4, 0.2]]),
    "split, a list": split(IRIS, [[[1], 3.5, 1.4, 0.2]]),
    "split, huge": split(IRIS, [[2**80, 3.5, 1.4, 0.2], [2**53 + 1, 3.5, 1.4, 0.2]]),
    "split, uneven": split(IRIS, [[5.1, 3.5, 1.4, 0.2], [5.1]]),
    "split, no rows": split(IRIS, []),
    "split, an object": split(IRIS, {"a": 1}),
    "split, rows are objects": split(IRIS, [dict(zip(IRIS, ROWS[0], strict=True))]),
    "split, columns a text": split("abcd", ROWS),
    "split, unknown key": split(IRIS, ROWS, rows=1),
    "split is a list": {"dataframe_split": ROWS},
    "records": records(IRIS, ROWS),
    "records, whole numbers": records(IRIS, [[5, 3, 1, 0]]),
    "records, uneven": {"dataframe_records": [dict(zip(IRIS, ROWS[0], strict=True)), {IRIS[0]: 1.0}]},
    "records, a column more": records([*IRIS, "z"], [[*ROWS[0], "z"]]),
    "records, empty": {"dataframe_records": []},
    "records is an object": {"dataframe_records": {"a": 1}},
    "instances of rows": {"instances": ROWS},
    "instances of records": {"instances": records(IRIS, ROWS)["dataframe_records"]},
    "inputs of rows": {"inputs": ROWS},
    "inputs by column": {"inputs": {name: [row[place] for row in ROWS] for place, name in enumerate(IRIS)}},
    "inputs, one row by column": {"inputs": dict(zip(IRIS, ROWS[0], strict=True))},
    "inputs of records": {"inputs": records(IRIS, ROWS)["dataframe_records"]},
    "inputs null": {"inputs": None},
    "params that the model lacks": {**split(IRIS, ROWS), "params": {"k": 1}},
    "params that are none": {**split(IRIS, ROWS), "params": [1]},
    "two formats": {**split(IRIS, ROWS), "inputs": ROWS},
    "no format": {"rows": ROWS},
    "an empty object": {},
    "a list": ROWS,
    "a number": 3,
    "null": None,
    "a chat": {"messages": [{"role": "user", "content": "hello"}]},
    "a key more": {**split(IRIS, ROWS), "extra": 1},
    "broken": b'{"dataframe_split": {"columns": ["a"',
    "empty": b"",
    "not UTF-8": b'{"inputs": "\xff\xfe"}',
    "NaN": b'{"dataframe_split": {"columns": ["sepal_length", "sepal_width", "petal_length", "petal_width"],'
    b' "data": [[NaN, 1, 2, 3]]}}',
    "an infinity": b'{"dataframe_split": {"columns": ["sepal_length", "sepal_width", "petal_length", "petal_width"],'
    b' "data": [[1e999, 1, 2, 3]]}}',
    "a mark at the beginning": b"\xef\xbb\xbf" + b'{"inputs": [[5.1, 3.5, 1.4, 0.2]]}',
}


@pytest.mark.parametrize("name", FOR_IRIS)
@pytest.mark.parametrize("model", ["svc", "words", "probabilities", "unsigned"])
def test_json_for_named_columns(loaded: Loaded, model: str, name: str) -> None:
    compare(loaded, model, FOR_IRIS[name])


FOR_OTHERS: dict[str, list[Any]] = {
    "linear": [split(IRIS[:3], [[1.25, 2.5, 1e-7], [1e17, 1, 3]]), {"inputs": [[1.0, 2.0, 3.0]]}],
    "mixed": [
        split(["long", "integer", "double", "float"], [[1, 2, 3.5, 0.25], [4, 5, 6, 7]]),
        split(["long", "integer", "double", "float"], [[1, 2, 3, 0.1]]),
        split(["float", "long", "integer", "double"], [[0.1, 1, 2, 3]]),
        split(["long", "integer", "double", "float"], [[1.0, 2, 3.5, 0.25]]),
        split(["long", "integer", "double", "float"], [[1.5, 2, 3.5, 0.25]]),
        split(["long", "integer", "double", "float"], [[1, 2**40, 3.5, 0.25]]),
        split(["long", "integer", "double", "float"], [[2**63, 2, 3.5, 0.25]]),
        split(["long", "integer", "double", "float"], [[None, 2, 3.5, 0.25]]),
        split(["long", "integer", "double", "float"], [[1, 2, 3.5, 1e300]]),
        split(["long", "integer", "double", "float"], [[1, 2, 3, 16777217]]),
        split(["long", "integer", "double", "float"], [[True, 2, 3.5, 0.25]]),
        records(["long", "integer", "double", "float"], [[1, 2, 3, 0.1]]),
    ],
    "longs": [
        split(["a", "b"], [[1, 2], [3, 4]]),
        split(["a", "b"], [[1, 2], [3, 4.0]]),
        split(["a", "b"], [[1, 2], [3, 4.5]]),
        split(["b", "a"], [[2**62, 2]]),
        split(["b", "a"], [[-(2**63), 2]]),
        split(["b", "a"], [[-(2**63) - 1, 2]]),
    ],
    "by_name": [
        split([*IRIS[:2], "colour"], [[5.1, 3.5, "blue"], [6.5, 3, "green"]]),
        split([*IRIS[:2], "colour", "note"], [[5.1, 3.5, "blue", 1.5]]),
        split([*IRIS[:2], "colour"], [[5.1, 3.5, None]]),
        split([*IRIS[:2], "colour"], [[5.1, 3.5, 7]]),
        {"instances": [{IRIS[0]: 5.1, IRIS[1]: 3.5, "colour": "red"}]},
        {"inputs": {IRIS[0]: [5.1], IRIS[1]: [3.5], "colour": ["red"]}},
    ],
    "tensor": [
        {"inputs": ROWS},
        {"instances": ROWS},
        {"inputs": [[5, 3, 1, 0]]},
        {"inputs": [["5", "3", "1", "0"]]},
        {"inputs": [[None, 3.5, 1.4, 0.2]]},
        {"inputs": [[True, 3.5, 1.4, 0.2]]},
        {"inputs": [5.1, 3.5, 1.4, 0.2]},
        {"inputs": [ROWS]},
        {"inputs": [[1.0, 2.0]]},
        {"inputs": []},
        {"inputs": [[2**70, 3.5, 1.4, 0.2]]},
        {"inputs": {"x": ROWS}},
        {"inputs": "text"},
        {"instances": [{"x": ROWS[0]}]},
        split(["a", "b", "c", "d"], ROWS),
        split(["a", "b", "c"], [row[:3] for row in ROWS]),
    ],
    "echo": [
        split(["a", "b"], [[1, 2.5], [3, None]]),
        split(["a"], [["x"], [True]]),
        {"inputs": [[1, 2], [3, 4]]},
        {"inputs": {"a": [1, 2], "b": "c"}},
        {"inputs": "a text"},
        {"instances": [{"a": 1, "b": [1, 2]}, {"a": 2, "b": [3, 4]}]},
        {"instances": [{"a": 1}, {"b": 2}]},
        {"inputs": [1, 2], "params": {"k": 3}},
        {"messages": [{"role": "user", "content": "hello"}], "temperature": 1},
        {"prompt": "hello"},
        {"input": ["a", "b"], "data": 1},
    ],
    "echo_columns": [
        split(["a", "b"], [[1, 2], [2.5, 3]]),
        split(["a", "b"], [[1, 2.5]]),
        split(["b", "a"], [[1, 2]]),
        split(["a", "b"], [["x", 2]]),
        {"inputs": {"a": 1.5, "b": 2}},
        {"inputs": {"a": [1.5], "b": [2]}},
        {"inputs": [{"a": 1.5, "b": 2}]},
    ],
    "echo_params": [
        split(["a", "b"], [[1.5, 2]]),
        {**split(["a", "b"], [[1.5, 2]]), "params": {"k": 5}},
        {**split(["a", "b"], [[1.5, 2]]), "params": {"k": "five"}},
        {**split(["a", "b"], [[1.5, 2]]), "params": {"other": 5}},
        {**split(["a", "b"], [[1.5, 2]]), "params": {}},
        {**split(["a", "b"], [[1.5, 2]]), "params": None},
        {**split(["a", "b"], [[1.5, 2]]), "params": "k"},
    ],
    "echo_tensors": [
        {"inputs": {"one": [[1, 2, 3]], "two": [4]}},
        {"inputs": {"one": [[1, 2, 3], [4, 5, 6]], "two": [4]}},
        {"inputs": {"one": [[1, 2, 3]]}},
        {"inputs": {"one": [[1, 2]], "two": [4]}},
        {"inputs": {"one": [[1, 2, 3]], "two": [4.5]}},
        {"instances": [{"one": [1, 2, 3], "two": 4}, {"one": [1, 2, 3], "two": 5}]},
        {"inputs": {"one": [[1, 2, 3]], "two": [4], "three": [1]}},
    ],
    "moody": [split(["x"], [[1.5]]), split(["x"], [[-1.5]]), {"inputs": [1.5, 2.5]}, {"inputs": 1.5}],
    "framed": [split(["x", "y"], [[1, 2], [3.5, 4]]), split(["x", "y"], [[1, None]])],
    "hinted": [
        {"inputs": ["a", "b"]},
        {"inputs": "a"},
        {"inputs": [1]},
        {"dataframe_split": {"columns": ["a"], "data": [["x"]]}},
        {"instances": ["a"]},
        {"inputs": []},
    ],
    "chat": [
        {"messages": [{"role": "user", "content": "hello"}]},
        {"prompt": "hello"},
        {"input": "x"},
        {"inputs": "x"},
    ],
}


@pytest.mark.parametrize(("model", "place"), [(name, i) for name, all_ in FOR_OTHERS.items() for i in range(len(all_))])
def test_json_for_other_signatures(loaded: Loaded, model: str, place: int) -> None:
    compare(loaded, model, FOR_OTHERS[model][place])


CSV = "sepal_length,sepal_width,petal_length,petal_width\n5.1,3.5,1.4,0.2\n6,3,5,2\n"
TYPED: list[tuple[bytes, str]] = [
    (CSV.encode(), "text/csv"),
    (CSV.encode(), "text/csv; charset=utf-8"),
    (CSV.encode(), "text/csv; charset=latin-1"),
    (CSV.encode(), "text/csv; header=present"),
    (b"sepal_length,sepal_width\n1,2\n", "text/csv"),
    (b"sepal_length,sepal_width,petal_length,petal_width\nlong,3.5,1.4,0.2\n", "text/csv"),
    (b"sepal_length,sepal_width,petal_length,petal_width\n,3.5,1.4,0.2\n", "text/csv"),
    (b"", "text/csv"),
    (b"\xff\xfe", "text/csv"),
    (b"no parquet", "application/vnd.apache.parquet"),
    (b'{"inputs": 1}', "text/plain"),
    (b'{"inputs": 1}', "application/json; format=pandas-split"),
    (b'{"dataframe_split": {"data": []}}', "application/json;charset=UTF-8"),
    (b'{"inputs": 1}', "APPLICATION/JSON"),
    (b"<a/>", "application/xml"),
    (b"x", ""),
]


@pytest.mark.parametrize("place", range(len(TYPED)))
@pytest.mark.parametrize("model", ["svc", "unsigned", "echo"])
def test_other_content_types(loaded: Loaded, model: str, place: int) -> None:
    body, kind = TYPED[place]
    compare(loaded, model, body, kind)


@pytest.mark.parametrize("model", ["svc", "unsigned", "framed", "echo"])
def test_parquet(loaded: Loaded, model: str) -> None:
    columns = ["x", "y"] if model == "framed" else IRIS
    body = io.BytesIO()
    pd.DataFrame([row[: len(columns)] for row in ROWS], columns=columns).to_parquet(body)
    compare(loaded, model, body.getvalue(), "application/vnd.apache.parquet")


def compare(loaded: Loaded, name: str, body: Any, kind: str = "application/json") -> None:
    """Both answer alike; and where MLflow's server breaks on bad input, ours says 4xx."""
    ours, pyfunc = loaded(name)
    theirs = ask_mlflow(pyfunc, body, kind)
    said = ask(ours, body, kind)
    if theirs.status >= 500:
        assert 400 <= said.status < 500, said
        assert "message" in said.value
        return
    assert (said.status, said.kind) == (theirs.status, theirs.kind), (said.value, theirs.value)
    assert same(said.value, theirs.value), (said.value, theirs.value)


def same(one: Any, other: Any) -> bool:
    """Equal JSON, with equal kinds of numbers, and NaN equal to itself."""
    if isinstance(one, float) and isinstance(other, float):
        return one == other or (math.isnan(one) and math.isnan(other))
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(same(a, b) for a, b in zip(one, other, strict=True))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return type(one) is type(other) and one == other
