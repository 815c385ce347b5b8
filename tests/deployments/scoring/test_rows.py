"""The order's two bodies: rows without names."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from tests.deployments.scoring.asking import ask, config
from tests.deployments.scoring.conftest import Loaded
from tests.deployments.scoring.models import IRIS

pytestmark = [pytest.mark.client, pytest.mark.xdist_group("scoring")]

ROWS = [[5.1, 3.5, 1.4, 0.2], [6.3, 2.5, 5.0, 1.9]]


@pytest.mark.parametrize("model", ["svc", "words", "probabilities", "unsigned", "tensor"])
def test_rows_are_what_a_named_body_says(loaded: Loaded, model: str) -> None:
    ours, _ = loaded(model)
    named: dict[str, Any] = {"dataframe_split": {"columns": IRIS, "data": ROWS}}
    if model == "tensor":
        named = {"inputs": ROWS}
    expected = ask(ours, named).predictions
    assert len(expected) == 2
    assert ask(ours, {"data": ROWS}).predictions == expected
    assert ask(ours, {"data": {"values": ROWS}}).predictions == expected


def test_rows_go_onto_columns_by_place(loaded: Loaded) -> None:
    ours, _ = loaded("echo_columns")
    said = ask(ours, {"data": [[1.5, 2], [2.5, 3]]}).predictions
    assert json.loads(said[0])[0] == [["float64", "int64"], ["a", "b"], "[[1.5, 2.0], [2.5, 3.0]]"]


def test_rows_with_params(loaded: Loaded) -> None:
    ours, _ = loaded("echo_params")
    said = ask(ours, {"data": {"values": [[1.5, 2]]}, "params": {"k": 9}}).predictions
    assert "'k': 9" in json.loads(said[0])[1]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"data": [[1, 2, 3]]}, "Row 0 of data has 3 values. The model expects 4 columns: " + ", ".join(IRIS)),
        ({"data": [ROWS[0], [1, 2, 3, 4, 5]]}, "Row 1 of data has 5 values"),
        ({"data": [1, 2, 3, 4]}, "Row 0 of data is not a list"),
        ({"data": "5.1"}, "data is a list of rows"),
        ({"data": {"rows": ROWS}}, 'data has "values" alone'),
        ({"data": ROWS, "columns": IRIS}, "columns is not known"),
        ({"data": [["x", 1, 2, 3]]}, "Failed to convert"),
        ({"data": [[None, 1, 2, 3]]}, ""),
        ({"data": []}, ""),
        (b'{"data": [[NaN, 1, 2, 3]]}', ""),
    ],
)
def test_rows_that_can_t_be_used(loaded: Loaded, body: Any, words: str) -> None:
    said = ask(loaded("svc")[0], body)
    assert said.status == 400, said
    assert words in said.value["message"]
    assert set(said.value) >= {"error_code", "message"}


def test_a_compressed_body(loaded: Loaded) -> None:
    ours, _ = loaded("svc")
    body = json.dumps({"data": ROWS}).encode()
    for packed in (gzip.compress(body), gzip.compress(body[:20]) + gzip.compress(body[20:])):
        assert ask(ours, packed, headers={"Content-Encoding": "gzip"}).predictions == [0, 2]


@pytest.mark.parametrize(
    ("body", "encoding", "status"),
    [
        (gzip.compress(b" " * 3_000_000), "gzip", 413),
        (gzip.compress(b'{"data": []}')[:-9], "gzip", 400),
        (b"plain", "gzip", 400),
        (b"plain", "br", 415),
    ],
    # A compressed body has the second in it, so it would be another test in each process.
    ids=["a bomb", "cut off", "not compressed", "unknown"],
)
def test_what_can_t_be_decompressed(loaded: Loaded, body: bytes, encoding: str, status: int) -> None:
    settings = config(max_body_bytes=1_000_000)
    said = ask(loaded("svc")[0], body, headers={"Content-Encoding": encoding}, settings=settings)
    assert said.status == status
    assert "message" in said.value
