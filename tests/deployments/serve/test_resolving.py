"""Which files a reference comes to, and what is said of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from apps.core.errors import DomainError
from apps.deployments.serve.references import parse_reference
from apps.deployments.serve.resolving import Found, resolve
from tests.deployments.serve.registry import LOGGED, FakeTracker


def found(uri: str) -> Found:
    return resolve(parse_reference(uri), FakeTracker())


@pytest.mark.parametrize(
    ("uri", "number", "said"),
    [
        ("models:/iris/1", "1", "stage Production"),
        ("models:/iris/v2", "2", "stage None"),
        ("models:/iris@champion", "2", "the alias champion"),
        ("models:/iris/production", "1", "in Production"),
        ("models:/iris/None", "2", "in None"),
        ("models:/fresh/Archived", "1", "in Archived"),
        ("models:/iris", "1", "no version was named, and this one is in Production"),
        ("models:/fresh", "2", "none is in Production, and this is the latest that is ready"),
        ("models:/it's", "1", "the latest that is ready"),
    ],
)
def test_versions(uri: str, number: str, said: str) -> None:
    if number == "2" and uri.endswith("/None"):
        # The latest in a stage is what the protocol says, and that one can't be served.
        with pytest.raises(DomainError, match="version 3 is FAILED_REGISTRATION"):
            found(uri)
        return
    version = found(uri)
    assert (version.version, said in version.said) == (number, True), version
    assert version.files == f"mlflow-artifacts:/{version.name}/{number}"


def test_files_of_a_run() -> None:
    assert found("runs:/r1/model").files == "mlflow-artifacts:/0/r1/artifacts/model"


def test_a_model_that_newer_clients_keep_beside_its_run() -> None:
    beside = found("runs:/r1/beside")
    assert (beside.name, beside.files) == ("beside", LOGGED["artifact_uri"])
    assert found(f"models:/{LOGGED['model_id']}").files == LOGGED["artifact_uri"]


def test_an_address_is_taken_as_it_is() -> None:
    assert found("mlflow-artifacts:/0/r1/artifacts/model").name == "model"


def test_a_folder_wants_no_server(tmp_path: Path) -> None:
    (tmp_path / "MLmodel").touch()
    tracker = FakeTracker()
    for uri in (str(tmp_path), f"file://{tmp_path}", str(tmp_path / "MLmodel")):
        assert resolve(parse_reference(uri), tracker).files == str(tmp_path.resolve())
    assert tracker.asked == []


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("models:/nothing", "nothing at"),
        ("models:/nothing/1", "nothing at"),
        ("models:/iris/9", "nothing at"),
        ("models:/iris@nobody", "nothing at"),
        ("models:/nothing/latest", "nothing at"),
        ("models:/empty/latest", "empty has no version"),
        ("models:/empty", "empty has no version that is ready"),
        ("models:/pending", "pending has no version that is ready"),
        ("models:/iris/latest", "iris version 3 is FAILED_REGISTRATION: no files"),
        ("models:/iris/Staging", "iris has no version in Staging"),
        ("models:/iris/champion", "an alias is written models:/iris@champion"),
        ("runs:/r2/model", "nothing at"),
        ("runs:/r1/other", "it may be one of runs:/r1/beside, runs:/r1/model"),
        ("runs:/r1", "no model in its uppermost folder; it may be one of"),
        ("models:/m-" + "b" * 32, "no such logged model"),
        ("not-here", "a registered model is written models:/not-here"),
    ],
)
def test_what_is_not_there_is_said_in_words(uri: str, words: str) -> None:
    with pytest.raises(DomainError, match=words):
        found(uri)


def test_a_folder_without_a_model(tmp_path: Path) -> None:
    with pytest.raises(DomainError, match="there is no MLmodel file in it"):
        found(str(tmp_path))
