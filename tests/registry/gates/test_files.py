from __future__ import annotations

import pytest

from apps.registry.models import ModelVersion
from tests.personas import People, Persona
from tests.registry.gates.cases import gate, judge, make_version

SIGNED = """
artifact_path: model
flavors:
  python_function:
    loader_module: mlflow.sklearn
    python_version: 3.11.2
saved_input_example_info:
  artifact_path: input_example.json
  type: dataframe
signature:
  inputs: '[{"type": "double", "name": "petal length", "required": true}]'
  outputs: '[{"type": "tensor", "tensor-spec": {"dtype": "int64", "shape": [-1]}}]'
  params: null
"""
UNSIGNED = "flavors:\n  python_function:\n    loader_module: x\n"


def put(who: Persona, version: ModelVersion, name: str, content: str | bytes) -> None:
    path = version.folder.removeprefix("mlflow-artifacts:/")
    url = f"/api/2.0/mlflow-artifacts/artifacts/{path}/{name}"
    assert who.request("PUT", url, content).status_code == 200


def test_a_signature_and_an_example_are_there(people: People) -> None:
    version = make_version(people.ada, people.forge)
    put(people.ada, version, "MLmodel", SIGNED)
    put(people.ada, version, "input_example.json", "[]")
    signature, example = judge(people.ada, version, gate("signature"), gate("input_example"))
    assert (signature.state, signature.text) == ("passed", "Inputs: 1, outputs: 1")
    assert (example.state, example.evidence) == ("passed", {"path": "input_example.json"})


def test_neither_is_there(people: People) -> None:
    version = make_version(people.ada, people.forge)
    put(people.ada, version, "MLmodel", UNSIGNED)
    results = judge(people.ada, version, gate("signature"), gate("input_example"))
    assert [result.state for result in results] == ["failed", "failed"]


def test_the_example_that_is_named_is_missing(people: People) -> None:
    version = make_version(people.ada, people.forge)
    put(people.ada, version, "MLmodel", SIGNED)
    (result,) = judge(people.ada, version, gate("input_example"))
    assert (result.state, "not among the files" in result.text) == ("failed", True)


@pytest.mark.parametrize("path", ["../../secret", "/etc/passwd", "a/../b", "mlflow-artifacts:/1"])
def test_an_example_lies_in_the_folder_or_nowhere(people: People, path: str) -> None:
    version = make_version(people.ada, people.forge)
    put(people.ada, version, "MLmodel", SIGNED.replace("input_example.json", path))
    assert judge(people.ada, version, gate("input_example"))[0].state == "failed"


@pytest.mark.parametrize(("content", "words"), [(None, "There is no MLmodel"), (b"\xff", "UTF-8"), ("[", "no YAML")])
def test_a_broken_file_fails_in_words(people: People, content: str | bytes | None, words: str) -> None:
    version = make_version(people.ada, people.forge)
    if content is not None:
        put(people.ada, version, "MLmodel", content)
    for result in judge(people.ada, version, gate("signature"), gate("input_example")):
        assert (result.state, words in result.text) == ("failed", True)


def test_a_broken_version_fails_in_words(people: People) -> None:
    version = make_version(people.ada, people.forge)
    version.folder = ""
    version.save()
    (result,) = judge(people.ada, version, gate("signature"))
    assert (result.state, "names no files" in result.text) == ("failed", True)
