from __future__ import annotations

from pathlib import Path

import pytest

from apps.core.errors import InvalidInput
from apps.projects.mlproject import Parameter, ParameterType, parse_project, read_project
from apps.runtime.environments.kinds import EnvironmentKind

WHOLE = """
name: iris_svm
python_env: python_env.yaml
entry_points:
  main:
    parameters:
      c: {type: float, default: 1.0}
      data: {type: path, default: data.csv}
      out: uri
      note:
        default: "a: b"
    command: "python train.py --c {c} --data {data} --out {out}"
  check:
    command: "python check.py"
env_vars:
  LEVEL: 3
  FROM_CALLER:
"""


def test_the_protocols_form() -> None:
    project = parse_project(WHOLE)
    assert (project.name, project.environment.kind) == ("iris_svm", EnvironmentKind.PYTHON)
    assert project.environment.file == "python_env.yaml"
    assert list(project.entry_points) == ["main", "check"]
    assert project.entry_points["main"].parameters == {
        "c": Parameter("c", ParameterType.FLOAT, "1.0"),
        "data": Parameter("data", ParameterType.PATH, "data.csv"),
        "out": Parameter("out", ParameterType.URI, None),
        "note": Parameter("note", ParameterType.STRING, "a: b"),
    }
    assert project.env_vars == {"LEVEL": "3", "FROM_CALLER": None}


def test_the_list_form_of_the_order() -> None:
    text = "name: iris-classification\nconda_env: conda.yaml\nentry_points:\n  - path: train.py\n    name: train\n"
    project = parse_project(text)
    assert project.environment.file == "conda.yaml"
    assert {name: entry.command for name, entry in project.entry_points.items()} == {"train": "python train.py"}


def test_a_list_may_have_parameters_and_names_its_scripts() -> None:
    text = """
entry_points:
  - path: steps/clean data.sh
    parameters: {rows: float}
  - name: all
    command: "make {target}"
    parameters: {target: {default: all}}
"""
    entries = parse_project(text).entry_points
    assert entries["clean data"].command == "bash 'steps/clean data.sh'"
    assert entries["clean data"].parameters["rows"].type is ParameterType.FLOAT
    assert entries["all"].parameters["target"].default == "all"


def test_the_misprint_of_the_order_is_shown_mended() -> None:
    text = "name: iris-classification\nconda_env: conda.yaml\nentry_points:\n  - path: train.py\n   name: train\n"
    with pytest.raises(InvalidInput) as caught:
        parse_project(text)
    assert "MLproject, line 5" in caught.value.message
    assert "  - path: train.py\n    name: train" in caught.value.message


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("name: a\nname: b", 2, "stands twice"),
        ("entry_points: 5", 1, "mapping"),
        ("nmae: a", 1, "'nmae' is not known"),
        ("entry_points:\n  main: {}", 2, "wants a command"),
        ("entry_points:\n  main:\n    command: x\n    parameters:\n      a: number", 5, "no type of parameters"),
        ("entry_points:\n  - path: a.py\n  - path: b/a.py", 3, "two entry points named 'a'"),
        ("entry_points:\n  - path: train.exe", 2, "say how to run it"),
        ("entry_points:\n  - path: ../train.py", 2, "a file of the project"),
        ("conda_env: a.yaml\npython_env: b.yaml", 1, "one environment"),
        ("python_env: /etc/passwd", 1, "a file of the project"),
        ("python_env: ../x.yaml", 1, "a file of the project"),
        ("docker_env: {volumes: []}", 1, "wants an image"),
        ("docker_env:\n  image: x\n  environment: [[A, b, c]]", 3, "NAME, value"),
        ("env_vars:\n  LD_PRELOAD: /tmp/x.so", 2, "not a project's to set"),
        ("env_vars:\n  MLFLOW_TRACKING_TOKEN: x", 2, "not a project's to set"),
        ("env_vars:\n  'A=B': x", 2, "can't be the name"),
        ("a: &x [1]\nb: *x", 1, "anchors and aliases"),
        ("a: !!python/object/apply:os.system [id]", 1, "tags of Python"),
        ("[" * 50, 1, "too deeply"),
        ("a: [1", 1, "not valid YAML"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text: str, line: int, words: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_project(text)
    assert f"MLproject, line {line}" in caught.value.message or words == "not valid YAML"
    assert words in caught.value.message


@pytest.mark.parametrize("escape", ["\\0", "\\x00", "\\u0000", "\\ud800"])
@pytest.mark.parametrize(
    "text",
    [
        'env_vars: {{A: "x{}--bind"}}',
        'env_vars: ["A{}"]',
        'name: "x{}"',
        'entry_points: {{main: {{command: "x{}"}}}}',
        'docker_env: {{image: x, volumes: ["/a{}:/b"]}}',
    ],
)
def test_escapes_of_characters_that_nothing_can_hold(text: str, escape: str) -> None:
    """Variables go to the sandbox with a NUL between them: one in a value would be an argument of its own."""
    with pytest.raises(InvalidInput, match="MLproject, line 1: it holds a character that can't be kept"):
        parse_project(text.format(escape))


@pytest.mark.parametrize("text", [b"\xff\xfe\x00", b"name: a\n" * 100_000])
def test_what_is_no_such_file_at_all(text: bytes) -> None:
    with pytest.raises(InvalidInput):
        parse_project(text)


def test_a_folder_with_and_without_the_file(tmp_path: Path) -> None:
    assert read_project(tmp_path).environment.kind is EnvironmentKind.NONE
    (tmp_path / "conda.yaml").write_text("dependencies: []")
    assert read_project(tmp_path).environment.file == "conda.yaml"
    (tmp_path / "python_env.yaml").write_text("{}")
    (tmp_path / "mlproject").write_text("name: lower")
    project = read_project(tmp_path)
    assert (project.name, project.environment.file) == ("lower", "python_env.yaml")
    (tmp_path / "MLproject").write_text("name: upper")
    with pytest.raises(InvalidInput, match="MLproject, mlproject"):
        read_project(tmp_path)


def test_a_link_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("name: secret")
    (tmp_path / "MLproject").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InvalidInput, match="plain file"):
        read_project(tmp_path)


def test_docker() -> None:
    text = 'docker_env:\n  image: a/b:1\n  volumes: ["/a:/b"]\n  environment: [["NEW", "v"], "TAKEN"]\n'
    docker = parse_project(text).environment.docker
    assert docker is not None
    assert (docker.image, docker.volumes, docker.variables) == ("a/b:1", ("/a:/b",), (("NEW", "v"), ("TAKEN", None)))
