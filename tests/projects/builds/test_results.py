"""What a hostile child may leave in place of a result."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from apps.core.errors import InvalidInput
from apps.projects.builds.results import MAX_BYTES, NAME, read_result

GOOD = {"load_ms": 12.5, "latency_ms": 0.4, "example": True, "packages": ["numpy==2.0"], "python": "3.11.2"}


def left(folder: Path, content: str | bytes) -> Path:
    (folder / NAME).write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def test_a_result_is_read(tmp_path: Path) -> None:
    result = read_result(left(tmp_path, json.dumps(GOOD | {"unknown": 1})))
    assert (result.load_ms, result.latency_ms, result.packages) == (12.5, 0.4, ["numpy==2.0"])
    assert "unknown" not in result.to_json()


@pytest.mark.parametrize(
    "wrong",
    [
        {"load_ms": -1},
        {"load_ms": "fast"},
        {"latency_ms": 1e300},
        {"packages": "numpy"},
        {"packages": ["x" * 1000]},
        {"packages": ["x"] * 5000},
        {"schema": [1]},
        {"error": "x" * 5000},
        {"python": "3.11\x00"},
        {"example": "yes"},
    ],
)
def test_what_it_may_not_say(tmp_path: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        read_result(left(tmp_path, json.dumps(GOOD | wrong)))


@pytest.mark.parametrize(
    "content", ["", "[]", "NaN", '{"load_ms": NaN}', "{" * 100_000, b"\xff\xfe", " " * (MAX_BYTES + 1)]
)
def test_what_is_no_result(tmp_path: Path, content: str | bytes) -> None:
    with pytest.raises(InvalidInput):
        read_result(left(tmp_path, content))


def test_links_and_pipes_and_folders_are_not_followed_nor_waited_for(tmp_path: Path) -> None:
    secret = left(tmp_path, json.dumps(GOOD)) / NAME
    ways: list[Callable[[Path], None]] = [
        lambda place: place.symlink_to(secret),
        lambda place: place.mkdir(),
        lambda place: os.mkfifo(place),
        lambda place: None,
    ]
    for number, lay in enumerate(ways):
        folder = tmp_path / str(number)
        folder.mkdir()
        lay(folder / NAME)
        with pytest.raises(InvalidInput):
            read_result(folder)
    (tmp_path / "way").symlink_to(tmp_path)
    with pytest.raises(InvalidInput):
        read_result(tmp_path / "way")
