"""What people type for a model."""

from __future__ import annotations

from pathlib import Path

import pytest

from apps.core.errors import InvalidInput
from apps.deployments.serve import references as named
from apps.deployments.serve.references import parse_reference

LOGGED = "m-" + "0" * 32


@pytest.mark.parametrize(
    ("uri", "reference"),
    [
        ("models:/iris-classifier/1", named.Numbered("iris-classifier", "1")),
        ("models:/iris-classifier/v12", named.Numbered("iris-classifier", "12")),
        ("models:///iris/1", named.Numbered("iris", "1")),
        ("models:/a name, with more/1", named.Numbered("a name, with more", "1")),
        ("models:/iris@champion", named.Aliased("iris", "champion")),
        ("models:/me@work@champion", named.Aliased("me@work", "champion")),
        ("models:/iris/Production", named.Staged("iris", "Production")),
        ("models:/iris/LATEST", named.Newest("iris")),
        ("models:/iris", named.Unversioned("iris")),
        ("models:/m-1", named.Unversioned("m-1")),
        (f"models:/{LOGGED}", named.Logged(LOGGED)),
        ("runs:/0a1b/model", named.OfRun("0a1b", "model")),
        ("runs:/0a1b/deep/model/", named.OfRun("0a1b", "deep/model")),
        ("runs:/0a1b", named.OfRun("0a1b", "")),
        ("mlflow-artifacts:/0/r/artifacts/model/", named.Stored("mlflow-artifacts:/0/r/artifacts/model")),
        ("s3://bucket/model", named.Stored("s3://bucket/model")),
        ("model.pkl", named.Local(Path("model.pkl"))),
        ("./a:b/model", named.Local(Path("a:b/model"))),
        ("/srv/model", named.Local(Path("/srv/model"))),
        ("file:///srv/my%20model", named.Local(Path("/srv/my model"))),
    ],
)
def test_each_way_of_naming_one(uri: str, reference: named.Reference) -> None:
    assert parse_reference(uri) == reference


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("models:iris-classifier", "written with a slash: models:/iris-classifier"),
        ("models:iris-classifier/1", "written with a slash: models:/iris-classifier/1"),
        ("runs:0a1b/model", "written with a slash: runs:/0a1b/model"),
        ("models://iris/1", "written with one slash: models:/iris/1"),
        ("models:/", "names nothing"),
        ("runs:", "names nothing"),
        ("models:/iris/1/2", "one name and one version"),
        ("models:/iris@", "names no alias"),
        ("models:/@champion", "names no model"),
        ("gs://bucket/model", "names no model"),
        ("http://host/model", "names no model"),
    ],
)
def test_what_is_misspelt_is_shown_right(uri: str, words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        parse_reference(uri)
