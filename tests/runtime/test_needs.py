from __future__ import annotations

import fcntl
from pathlib import Path

import pytest

from apps.core.errors import InvalidInput
from apps.runtime.environments import Cache, Needs, cant_be_built, needs_of, needs_of_requirements
from apps.runtime.environments.kinds import Environment, EnvironmentKind


def python_env(folder: Path, text: str) -> Needs:
    (folder / "python_env.yaml").write_text(text)
    return needs_of(Environment(EnvironmentKind.PYTHON, "python_env.yaml"), folder)


def conda_env(folder: Path, text: str) -> Needs:
    (folder / "conda.yaml").write_text(text)
    return needs_of(Environment(EnvironmentKind.CONDA, "conda.yaml"), folder)


def test_requirements_of_files_are_taken_in(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("a==1  # why\n\n-r more.txt\n")
    (tmp_path / "more.txt").write_text("b>=2 ; python_version > '3'\n")
    text = 'python: "3.11.9"\nbuild_dependencies: [pip]\ndependencies: ["-r requirements.txt", c]\n'
    needs = python_env(tmp_path, text)
    assert (needs.python, needs.build) == ("3.11.9", ("pip",))
    assert needs.lines == ("a==1", "b>=2 ; python_version > '3'", "c")


def test_the_key_is_of_the_content(tmp_path: Path) -> None:
    (tmp_path / "r.txt").write_text("a")
    text = "dependencies: ['-r r.txt']"
    first = python_env(tmp_path, text).key
    assert python_env(tmp_path, "dependencies: [a]").key == first
    (tmp_path / "r.txt").write_text("b")
    assert python_env(tmp_path, text).key != first


def test_condas_pip_part_and_what_is_left_out(tmp_path: Path) -> None:
    needs = conda_env(tmp_path, "dependencies:\n- python=3.11\n- pip<25\n- conda-forge::libfoo=1\n- pip: [mlflow]\n")
    assert (needs.python, needs.lines) == ("3.11", ("mlflow",))
    assert "conda-forge::libfoo=1" in needs.left_out[0]


@pytest.mark.parametrize(
    "item",
    [
        "https://x/y::a",
        "file:///x::a",
        "https://x/a.conda",
        "/x/a.conda",
        "'a[channel=https://x]'",
        "'conda-forge::../a'",
    ],
)
def test_where_condas_packages_come_from_is_no_projects_to_say(item: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="is no package"):
        conda_env(tmp_path, f"dependencies:\n- {item}\n")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("python: newest", "no version of Python"),
        ("pythn: 3", "not known"),
        ("dependencies: [--index-url https://x a]", "where packages come from"),
        ("dependencies: ['-e .']", "nothing is editable"),
        ("dependencies: [--pre]", "not taken"),
        ("dependencies: ['-r ../x']", "a file of the project"),
        ("dependencies: ['-r missing']", "has no file"),
        ("dependencies: {a: b}", "has to be a list"),
        ('dependencies: ["a\\n--index-url https://x"]', "where packages come from"),
        ('dependencies: ["a\\n--pre"]', "not taken"),
        ('dependencies: ["a\\n-r ../x"]', "a file of the project"),
    ],
)
def test_what_is_refused(text: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=words):
        python_env(tmp_path, text)


def test_circles_end(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("-r b.txt")
    (tmp_path / "b.txt").write_text("-r a.txt")
    with pytest.raises(InvalidInput, match="circle"):
        python_env(tmp_path, "dependencies: ['-r a.txt']")


def test_a_models_requirements_include_nothing() -> None:
    assert needs_of_requirements(["a==1", "# b", ""], "3.11").lines == ("a==1",)


def test_cleaning_takes_the_oldest_that_nobody_uses(tmp_path: Path) -> None:
    cache, said = Cache(tmp_path / "cache"), list[str]()
    first, second = Needs(lines=()), Needs(build=(), lines=(), python="3")
    with cache.held(first, said.append) as ready:
        assert ready.was_built
        assert ready.python.exists()
        with cache.held(second, said.append):
            pass
        assert cache.clean(0) == 1
        assert ready.python.exists()
    assert cache.clean(0) == 1
    assert not ready.python.exists()


def test_who_waits_for_another_that_builds_the_same_may_give_up(tmp_path: Path) -> None:
    def give_up() -> None:
        raise InvalidInput("not wanted any more")

    needs, root = Needs(), tmp_path / "cache"
    root.mkdir()
    with (root / f"{needs.key}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        cache = Cache(root, check=give_up)
        with pytest.raises(InvalidInput, match="not wanted"), cache.held(needs, lambda _: None):
            raise AssertionError("it was built")


def test_what_can_not_be_built_says_why_and_leaves_nothing(tmp_path: Path) -> None:
    cache, said = Cache(tmp_path / "cache"), list[str]()
    needs = needs_of_requirements(["not a requirement at all !"])
    with pytest.raises(InvalidInput, match="can't be built"), cache.held(needs, said.append):
        raise AssertionError("it was built")
    assert not list((tmp_path / "cache").glob("*.ready"))


def test_why_an_environment_can_t_be_built_begins_with_the_reason() -> None:
    said = ["Using Python 3.11.7 environment at: /srv/environments/1f", "No solution found for pandas==99.9."]
    assert cant_be_built(said).message == "The environment can't be built: No solution found for pandas==99.9."
