"""What the environment of a model needs, for builds and serving alike."""

from __future__ import annotations

from pathlib import Path

import pytest

from apps.core.errors import InvalidInput
from apps.deployments.environments import needs_of_model, serving_needs
from apps.runtime.environments import Needs

CLIENT = ("mlflow-skinny", "pandas", "numpy")
SERVER = ("httptools", "orjson", "uvloop; sys_platform != 'win32'")


@pytest.mark.parametrize(
    ("lines", "added"),
    [
        ((), (*CLIENT, *SERVER)),
        (("mlflow==2.22.0", "scikit-learn"), SERVER),
        (("mlflow-skinny[gateway]>=3", "Orjson==3.10"), ("httptools", "uvloop; sys_platform != 'win32'")),
        (("mlflow-extras", "pandas<3"), ("mlflow-skinny", "numpy", *SERVER)),
    ],
)
def test_what_is_not_named_is_added(lines: tuple[str, ...], added: tuple[str, ...]) -> None:
    assert serving_needs(Needs(lines=lines)).lines == (*lines, *added)


def test_asked_twice_it_is_the_same() -> None:
    once = serving_needs(Needs(python="3.11", lines=("mlflow",)))
    assert serving_needs(once) == once


@pytest.mark.parametrize(
    ("files", "python"),
    [
        (
            {"python_env.yaml": 'python: "3.11.7"\ndependencies: ["-r requirements.txt"]', "requirements.txt": "six"},
            "3.11.7",
        ),
        ({"conda.yaml": "dependencies: [python=3.11, pip, {pip: [six]}]"}, "3.11"),
        ({"requirements.txt": "six\n# and no more\n"}, ""),
        ({}, ""),
    ],
)
def test_read_from_the_models_files(tmp_path: Path, files: dict[str, str], python: str) -> None:
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    needs = needs_of_model(tmp_path)
    assert (needs.python, needs.lines) == (python, ((("six",) if files else ()) + CLIENT + SERVER))


def test_a_model_does_not_say_where_packages_come_from(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("--index-url http://elsewhere/simple\nsix\n")
    with pytest.raises(InvalidInput, match="where packages come from"):
        needs_of_model(tmp_path)
