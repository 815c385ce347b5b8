"""The call that is printed for copying."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from apps.deployments.serve.examples import curl_of

_COLUMNS = [{"name": "a", "type": "double"}, {"name": "b", "type": "string"}]


def body_of(folder: Path, about: str, *, wants_token: bool = False) -> Any:
    (folder / "MLmodel").write_text(about)
    words = shlex.split(curl_of("http://127.0.0.1:5001", folder, wants_token=wants_token))
    if not words:
        return None
    assert words[:2] == ["curl", "http://127.0.0.1:5001/invocations"]
    assert ("Authorization: Bearer $MLFLOW_TRACKING_TOKEN" in words) is wants_token
    return json.loads(words[-1])


def test_the_models_own_example(tmp_path: Path) -> None:
    (tmp_path / "serving.json").write_text('{\n  "inputs": ["it\'s"]\n}')
    about = "saved_input_example_info:\n  serving_input_path: serving.json\n"
    assert body_of(tmp_path, about, wants_token=True) == {"inputs": ["it's"]}


@pytest.mark.parametrize(
    ("inputs", "body"),
    [
        (_COLUMNS, {"dataframe_split": {"columns": ["a", "b"], "data": [[1.0, "text"]]}}),
        ([{"type": "long"}], {"data": [[1]]}),
        (
            [{"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1, 2]}}],
            {"inputs": [[1.0, 1.0]]},
        ),
    ],
)
def test_what_fits_the_signature(tmp_path: Path, inputs: Any, body: Any) -> None:
    assert body_of(tmp_path, json.dumps({"signature": {"inputs": json.dumps(inputs)}})) == body


@pytest.mark.parametrize(
    "about",
    [
        "",
        "{",
        "flavors: {}",
        'signature: {inputs: \'[{"type": "strange"}]\'}',
        "signature: {inputs: '{'}",
        "saved_input_example_info: {serving_input_path: missing.json}",
        "saved_input_example_info: []",
    ],
)
def test_of_anything_else_no_call_is_shown(tmp_path: Path, about: str) -> None:
    assert body_of(tmp_path, about) is None


def test_a_body_that_mlflows_server_does_not_take_is_not_shown_for_it(tmp_path: Path) -> None:
    (tmp_path / "MLmodel").write_text(json.dumps({"signature": {"inputs": json.dumps([{"type": "long"}])}}))
    assert curl_of("http://127.0.0.1:5001", tmp_path, wants_token=False)
    assert not curl_of("http://127.0.0.1:5001", tmp_path, wants_token=False, is_mlflows=True)


def test_what_lies_elsewhere_is_not_shown(tmp_path: Path) -> None:
    """A model names its example, and may be anybody's."""
    model = tmp_path / "model"
    model.mkdir()
    secret = tmp_path / "credentials.json"
    secret.write_text('{"key": "secret"}')
    (model / "link.json").symlink_to(secret)
    for named in ("../credentials.json", str(secret), "link.json"):
        about = json.dumps({"saved_input_example_info": {"serving_input_path": named}})
        assert body_of(model, about) is None


@pytest.mark.parametrize("shape", [[30] * 12, [1] * 5_000, [10**9], [2] * 20])
def test_what_would_be_too_large_is_not_made(tmp_path: Path, shape: list[int]) -> None:
    inputs = [{"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": shape}}]
    assert body_of(tmp_path, json.dumps({"signature": {"inputs": json.dumps(inputs)}})) is None


def test_an_example_that_is_too_deep_is_none(tmp_path: Path) -> None:
    (tmp_path / "serving.json").write_text("[" * 3_900)
    about = "saved_input_example_info: {serving_input_path: serving.json}"
    assert body_of(tmp_path, about) is None
