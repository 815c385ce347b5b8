"""What is kept of an MLproject, and its canonical form, which parses to the same project."""

from __future__ import annotations

from pathlib import Path

import pytest

from apps.core.errors import InvalidInput
from apps.projects.asking.checking import command_for, entry_of
from apps.projects.mlproject import parse_project, read_project
from apps.projects.reading.documents import canonical_text, cli_text, project_of, read_document

DOCKER = """\
name: in a box
docker_env:
  image: python:3.11
  volumes: ["/data:/data"]
  environment: [[MODE, fast], HOME_OF_DATA]
env_vars: {LEVEL: "3", TAKEN: null}
entry_points:
  main:
    parameters:
      alpha: {type: float, default: 0.5}
      odd: {type: float, default: 1e-3}
      note: {default: "5"}
      data: path
      where: uri
    command: "python a.py {alpha} {odd} '{note}' {data} {where} {{x}}"
"""
LISTED = "entry_points:\n  - path: train.py\n    name: train\nenv_vars: [KEY]\n"


def folder(path: Path, **files: str) -> Path:
    """A folder with files; `_` in their names stands for a dot."""
    for name, text in files.items():
        (path / name.replace("_", ".")).write_text(text)
    return path


@pytest.mark.parametrize("text", [DOCKER, LISTED, "name: x\n"])
def test_the_canonical_form_means_the_same(tmp_path: Path, text: str) -> None:
    document = read_document(folder(tmp_path, MLproject=text))
    read = read_project(tmp_path)
    assert project_of(document) == read
    assert parse_project(canonical_text(document)) == read


def test_numbers_are_written_plainly(tmp_path: Path) -> None:
    said = canonical_text(read_document(folder(tmp_path, MLproject=DOCKER)))
    assert "default: 0.5" in said and "default: '5'" in said and "image: python:3.11" in said


def test_what_was_normalised_is_noted(tmp_path: Path) -> None:
    folder(tmp_path, MLproject=LISTED, train_py="", b_sh="", c_txt="")
    (tmp_path / "python_env.yaml").write_text("dependencies: [numpy]\n")
    document = read_document(tmp_path)
    assert [note.partition(" ")[0] for note in document["notes"]] == ["The", "env_vars", "The"]
    assert document["scripts"] == ["b.sh", "train.py"]
    assert document["environment"]["text"] == "dependencies: [numpy]\n"
    assert cli_text(document) == "slipway run . -e train --backend slipway"


def test_a_folder_without_the_file_is_a_project(tmp_path: Path) -> None:
    document = read_document(folder(tmp_path, train_py=""))
    assert (document["file"], document["entry_points"], canonical_text(document)) == ("", [], "")
    assert "no MLproject file" in document["notes"][0]
    assert command_for(entry_of(document, "train.py"), {"a": "b c"}) == "python train.py --a 'b c'"


@pytest.mark.parametrize(
    ("text", "said"), [("dependencies: [-i https://x]\n", "python_env.yaml"), ("pyton: 3\n", "line 1")]
)
def test_wrong_packages_are_told_when_it_is_read(tmp_path: Path, text: str, said: str) -> None:
    folder(tmp_path, MLproject="python_env: python_env.yaml\n")
    (tmp_path / "python_env.yaml").write_text(text)
    with pytest.raises(InvalidInput, match=said):
        read_document(tmp_path)


def test_paths_are_the_workers_to_find(tmp_path: Path) -> None:
    document = read_document(folder(tmp_path, MLproject=DOCKER))
    values = {"data": "no/such file", "where": "s3://x/y"}
    assert "'no/such file'" in command_for(entry_of(document), values)
    assert cli_text(document) == "slipway run . -e main -P data=… -P where=… --backend slipway"
    assert cli_text(document, "its other name").endswith("--backend slipway --project 'its other name'")
    assert cli_text(document, document["name"]) == cli_text(document)
