"""What is sent of a project, and what is refused before anything is."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from apps.core.errors import InvalidInput
from apps.projects.reading.archives import Limits
from apps.projects.reading.inspecting import inspect
from apps.projects.running.config import fields_of
from apps.projects.running.queued import Queued, send

PROJECT = """name: steps
entry_points:
  main:
    parameters: {data: {type: path, default: rows.csv}, c: {type: float, default: 1}}
    command: "python step.py {data} {c}"
env_vars: {LEVEL: "3", HF_HOME: }
"""


class Taken:
    """A server that keeps what it is sent."""

    uri = "http://server"

    def __init__(self) -> None:
        self.names: list[str] = []
        self.asked: dict[str, Any] = {}

    def send_archive(self, file: Path, name: str) -> str:
        self.names.append(inspect(file, Limits()).project.name or name)
        return "5"

    def start(self, asked: Mapping[str, Any], key: str) -> dict[str, Any]:
        self.asked = dict(asked)
        return {"id": "1"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project, beside which one stands."""
    made = tmp_path / "steps"
    made.mkdir()
    (made / "MLproject").write_text(PROJECT)
    (made / "rows.csv").write_text("1\n")
    (tmp_path / "outside.csv").write_text("1\n")
    monkeypatch.chdir(tmp_path)
    return made


def asked(uri: str = "steps", env: Mapping[str, str] | None = None, **more: Any) -> dict[str, Any]:
    server: Any = Taken()
    send(Queued(uri, **more), server, env or {}, lambda line: None)
    assert len(server.names) == 1
    body: dict[str, Any] = server.asked
    return body


def test_the_usual(folder: Path) -> None:
    assert asked(params={"c": "2"}) == {
        "archive": "5",
        "entry_point": "main",
        "params": {"c": "2"},
        "project_name": "steps",
        "tags": {},
    }


def test_what_the_caller_has_set(folder: Path) -> None:
    env = {"HF_HOME": "/models", "MLFLOW_EXPERIMENT_ID": "7", "MLFLOW_RUN_ID": "abc", "OTHER": "x"}
    body = asked(env=env, more={"queue": "gpu", "env_vars": {"MINE": "1"}})
    assert body["env_vars"] == {"HF_HOME": "/models", "MINE": "1"}
    assert (body["experiment_id"], body["parent_run_id"], body["queue"]) == ("7", "abc", "gpu")
    assert "experiment_id" not in asked(env=env, experiment="trials")


@pytest.mark.parametrize("value", ["steps/rows.csv", "rows.csv", "./steps/rows.csv"])
def test_a_file_of_the_project_is_found_there(folder: Path, value: str) -> None:
    assert asked(params={"data": value})["params"]["data"] == "rows.csv"


@pytest.mark.parametrize("name", ["data", "undeclared"])
def test_a_file_elsewhere_is_refused(folder: Path, name: str) -> None:
    with pytest.raises(InvalidInput, match=r"outside\.csv, which lies outside of the project"):
        asked(params={name: "outside.csv"})


def test_addresses_go_along(folder: Path) -> None:
    assert asked(params={"data": "runs:/1/rows.csv"})["params"] == {"data": "runs:/1/rows.csv"}


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"params": {"data": "none.csv"}}, "names no file"),
        ({"params": {"c": "x"}}, "wants a number"),
        ({"entry_point": "other"}, "no entry point 'other'"),
    ],
)
def test_what_can_not_begin_is_not_sent(folder: Path, more: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        asked(**more)


def test_the_commit_goes_along(folder: Path) -> None:
    for command in (["init", "-q"], ["add", "."], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "x"]):
        subprocess.run(["git", *command], cwd=folder, check=True)
    (folder / "rows.csv").write_text("2\n")
    tags = asked()["tags"]
    assert (len(tags["mlflow.source.git.commit"]), tags["mlflow.source.git.dirty"]) == (40, "true")


def test_what_a_file_may_ask() -> None:
    config = {"queue": "gpu", "timeout": 60, "limits": {"memory_mb": 100}, "secrets": ["TOKEN"], "project": "x"}
    limits = {"memory_mb": 100, "seconds": 60}
    assert fields_of(config) == {"queue": "gpu", "limits": limits, "secrets": ["TOKEN"]}
    with pytest.raises(InvalidInput, match="'cpu' is not known here"):
        fields_of({"cpu": 1})
