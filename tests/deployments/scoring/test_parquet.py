"""Parquet that is more than it seems: some hundred bytes that would take all memory there is."""

from __future__ import annotations

import importlib
import io
from typing import Any

import numpy as np
import pandas as pd
import pytest

from apps.deployments.scoring.bodies import BadBody
from apps.deployments.scoring.parquet import TYPE, check_size
from tests.deployments.scoring.asking import ask, config
from tests.deployments.scoring.conftest import Loaded
from tests.deployments.scoring.models import IRIS

pytestmark = [pytest.mark.client, pytest.mark.xdist_group("scoring")]

pa: Any = importlib.import_module("pyarrow")
pq: Any = importlib.import_module("pyarrow.parquet")
LIMIT = 64 * 1024 * 1024
# A server of this setting takes so much of all bodies together.
SMALL = config(max_body_bytes=1_000_000)


def packed(table: Any, **how: Any) -> bytes:
    body = io.BytesIO()
    pq.write_table(table, body, **{"compression": "zstd", **how})
    return body.getvalue()


def same_text(length: int, times: int) -> Any:
    places = pa.array(np.zeros(times, np.int32))
    return pa.table({"text": pa.DictionaryArray.from_arrays(places, pa.array(["x" * length]))})


def bombs() -> dict[str, bytes]:
    zeros = pa.array(np.zeros(9_000_000))
    lists = pa.ListArray.from_arrays(pa.array([0, 9_000_000], pa.int32()), zeros)
    alike = pa.table({"text": pa.array(["x" * 100_000] * 700)})
    return {
        "numbers": packed(pa.table({"a": zeros})),
        "numbers as they are": packed(pa.table({"a": zeros}), use_dictionary=False),
        "numbers in a list": packed(pa.table({"a": lists})),
        "no numbers": packed(pa.table({"a": pa.nulls(9_000_000, pa.float64())})),
        "a text": packed(same_text(100_000, 700), store_schema=False),
        "a text, not compressed": packed(same_text(1_000, 70_000), store_schema=False, compression="none"),
        "a text by its beginning": packed(
            alike, use_dictionary=False, column_encoding={"text": "DELTA_BYTE_ARRAY"}, store_schema=False
        ),
    }


BOMBS = bombs()


@pytest.mark.parametrize("kind", BOMBS)
def test_what_is_too_large_when_it_is_read_is_not_read(loaded: Loaded, kind: str) -> None:
    body = BOMBS[kind]
    assert len(body) < 200_000
    said = ask(loaded("svc")[0], body, TYPE, settings=SMALL)
    assert said.status == 413 and "when they are read" in said.value["message"], said


@pytest.mark.parametrize("codec", ["none", "snappy", "gzip", "zstd", "lz4", "brotli"])
@pytest.mark.parametrize("version", ["1.0", "2.0"])
def test_what_people_send_passes(codec: str, version: str) -> None:
    frame = pd.DataFrame(np.random.default_rng(7).random((50_000, 8)), columns=list("abcdefgh"))
    frame["kind"] = np.random.default_rng(7).choice(["setosa", "virginica", "versicolor"], 50_000)
    frame["id"] = [f"number {number}" for number in range(50_000)]
    frame["at"] = pd.Timestamp("2026-01-01")
    frame["list"] = [[1.0, 2.0]] * 50_000
    body = packed(pa.Table.from_pandas(frame), compression=codec, data_page_version=version, row_group_size=20_000)
    check_size(body, LIMIT)
    with pytest.raises(BadBody):
        check_size(body, 1_000_000)


@pytest.mark.parametrize("body", [b"", b"no parquet", b"PAR1" * 100])
def test_what_is_none_is_left_to_who_reads_it(loaded: Loaded, body: bytes) -> None:
    check_size(body, LIMIT)
    assert ask(loaded("svc")[0], body, TYPE).status == 400


def test_one_that_is_broken_is_refused(loaded: Loaded) -> None:
    frame = pd.DataFrame([[5.1, 3.5, 1.4, 0.2]], columns=IRIS)
    whole = packed(pa.Table.from_pandas(frame))
    for place in range(4, 300):
        said = ask(loaded("svc")[0], whole[:place] + b"\xff\xff\xff" + whole[place + 3 :], TYPE)
        assert said.status in (200, 400, 413), said
