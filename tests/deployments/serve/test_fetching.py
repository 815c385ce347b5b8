"""The files of a model, from a server's store into a folder here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from apps.core.errors import DomainError
from apps.deployments.serve.fetching import fetch
from apps.deployments.serve.resolving import Found
from tests.deployments.serve.registry import FakeTracker

ROOT = "0/r/artifacts/model"
FILES = {f"{ROOT}/MLmodel": b"flavors: {}", f"{ROOT}/data/deep/weights": b"1234", "0/r/artifacts/other": b"x"}


def fetched(address: str, into: Path, tracker: FakeTracker) -> tuple[dict[str, bytes], list[str]]:
    said: list[str] = []
    folder = fetch(Found("model", address, ""), into, tracker, said.append)
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}, said


@pytest.mark.parametrize("address", [f"mlflow-artifacts:/{ROOT}", f"mlflow-artifacts://slipway.example:5000/{ROOT}"])
def test_all_below_the_folder_and_nothing_else(tmp_path: Path, address: str) -> None:
    files, said = fetched(address, tmp_path, FakeTracker(FILES))
    assert files == {"MLmodel": b"flavors: {}", "data/deep/weights": b"1234"}
    assert said == ["Fetched 2 files, 0.0 MB."]


def test_a_file_that_breaks_off_is_fetched_again(tmp_path: Path) -> None:
    files, _ = fetched(f"mlflow-artifacts:/{ROOT}", tmp_path, FakeTracker(FILES, broken_off=2))
    assert files["data/deep/weights"] == b"1234"


def test_a_folder_of_this_machine_is_used_where_it_is(tmp_path: Path) -> None:
    model, work = tmp_path / "model", tmp_path / "work"
    for folder in (model, work):
        folder.mkdir()
    (model / "MLmodel").write_text("flavors: {}")
    assert fetch(Found("model", f"file://{model}", ""), work, FakeTracker(), print) == model
    assert list(work.iterdir()) == []


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("mlflow-artifacts:/0/nothing", "no files at"),
        ("mlflow-artifacts:/0/r/artifacts", "no MLmodel file is in it"),
        ("mlflow-artifacts://elsewhere/0/r/artifacts/model", "another server than MLFLOW_TRACKING_URI"),
        ("dbfs:/models", "can't be read from here"),
        ("/on/the/server", "a folder that is not on this machine"),
    ],
)
def test_what_can_not_be_fetched_is_said_in_words(tmp_path: Path, address: str, words: str) -> None:
    with pytest.raises(DomainError, match=words):
        fetched(address, tmp_path, FakeTracker(FILES))


class Hostile(FakeTracker):
    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def list_files(self, path: str) -> list[dict[str, Any]]:
        return [{"path": self.name, "is_dir": False, "file_size": 1}]


@pytest.mark.parametrize("name", ["..", ".", "", "a/..", "..\\x", "a\x00b"])
def test_no_server_names_a_file_out_of_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(DomainError, match="which is not taken"):
        fetched(f"mlflow-artifacts:/{ROOT}", tmp_path, Hostile(name))
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == []
