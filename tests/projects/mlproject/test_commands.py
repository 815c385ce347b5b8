from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from apps.core.errors import InvalidInput
from apps.projects.mlproject import EntryPoint, Given, Parameter, command_of, entry_point_of, parse_project

TRAIN = """
entry_points:
  train:
    parameters: {c: {type: float, default: 1.0}, data: path, out: {type: uri, default: "s3://b/x"}, word: {default: w}}
    command: "python train.py {c} {data} {out} {word} {{x}}"
"""


def train() -> EntryPoint:
    return parse_project(TRAIN).entry_points["train"]


def test_values_fill_the_command(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("")
    given = Given({"data": "d.csv", "word": "two words", "more": "$(id)"}, (tmp_path,))
    assert (
        command_of(train(), given) == f"python train.py 1.0 {tmp_path}/d.csv s3://b/x 'two words' {{x}} --more '$(id)'"
    )


@pytest.mark.parametrize(
    "hostile", ["$(touch {})", "`touch {}`", "; touch {}", "' ; touch {} ; '", "\n touch {}", "&& touch {}"]
)
@pytest.mark.parametrize("written", ["printf %s {a}", 'printf %s "{a}"', "printf %s '{a}'", 'printf %s "x\\""\'{a}\''])
def test_no_value_reaches_the_shell_as_code(hostile: str, written: str, tmp_path: Path) -> None:
    made = tmp_path / "made"
    value = hostile.format(made)
    entry = EntryPoint("e", written, {"a": Parameter("a")})
    command = command_of(entry, Given({"a": value, "extra": value}))
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert done.stdout.removeprefix('x"').startswith(value)
    assert not made.exists()


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({}, "No value for data"),
        ({"data": "missing.csv"}, "names no file or folder"),
        ({"data": "/", "c": "much"}, "wants a number"),
        ({"data": "/", "out": ""}, "wants a URI"),
        ({"data": "/", "--bad": "x"}, "can't be the name"),
        ({"data": "/", "a b": "x"}, "can't be the name"),
        ({"data": "s3://elsewhere/x"}, "is elsewhere"),
        ({"data": "\x00"}, "names no file"),
    ],
)
def test_bad_values(values: dict[str, str], words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        command_of(train(), Given(values))


@pytest.mark.parametrize("command", ["x {missing}", "x {c.__class__}", "x {0}", "x {", "x }", "x {c!r}"])
def test_a_command_names_its_parameters_and_nothing_else(command: str) -> None:
    entry = EntryPoint("e", command, train().parameters)
    with pytest.raises(InvalidInput, match="no parameter of it"):
        command_of(entry, Given({"data": "/"}))


@pytest.mark.parametrize(
    "written",
    [
        *("echo $(echo '{a}')", "echo `echo '{a}'`", "cat <<E\n{a}\nE", "eval {a}"),
        *('sh -c "echo {a}"', 'bash -e -o pipefail -c "echo {a}"', 'ssh host "echo {a}"'),
    ],
)
def test_in_shell_inside_of_shell_values_have_to_be_tame(written: str) -> None:
    entry = EntryPoint("e", written, {"a": Parameter("a")})
    assert "fine-1.0" in command_of(entry, Given({"a": "fine-1.0"}))
    with pytest.raises(InvalidInput, match="shell inside of shell"):
        command_of(entry, Given({"a": "'; id; '"}))


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("echo x # it's {a}", "comment"),
        ("echo x # {a}", "comment"),
        ("echo x;#{a}", "comment"),
        ("echo \\{a}", "backslash"),
        ('echo "\\{a}"', "backslash"),
    ],
)
@pytest.mark.parametrize("hostile", ["\n touch {} #", "; touch {} #", '"; touch {} #', "'\n touch {} #"])
def test_where_no_quoting_holds_values_have_to_be_tame(written: str, why: str, hostile: str, tmp_path: Path) -> None:
    made = tmp_path / "made"
    entry = EntryPoint("e", written, {"a": Parameter("a")})
    assert subprocess.run(["bash", "-c", command_of(entry, Given({"a": "fine"}))], check=True).returncode == 0
    with pytest.raises(InvalidInput, match=why):
        subprocess.run(["bash", "-c", command_of(entry, Given({"a": hostile.format(made)}))], check=False)
    assert not made.exists()


@pytest.mark.parametrize("written", ["echo x # a note", "echo x 'open", "echo x \\"])
def test_nothing_is_added_where_it_would_not_be_seen(written: str) -> None:
    with pytest.raises(InvalidInput, match="--more is not declared"):
        command_of(EntryPoint("e", written), Given({"more": "\n id #"}))


@pytest.mark.parametrize("written", ["echo $# a#b '# x' \"# y\" {a}", "echo x # note\necho {a}"])
def test_not_each_hash_begins_a_comment(written: str) -> None:
    command = command_of(EntryPoint("e", written, {"a": Parameter("a")}), Given({"a": "two words", "more": "x"}))
    assert "'two words' --more x" in command


@pytest.mark.parametrize("name", ["../there.csv", "../missing.csv", "way/there.csv"])
def test_nobody_learns_what_else_is_on_the_machine(name: str, tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "way").symlink_to(tmp_path)
    (tmp_path / "there.csv").write_text("")
    given = {"data": name, "word": "x"}
    with pytest.raises(InvalidInput, match="sees the project alone"):
        command_of(train(), Given(given, (project,), seen_at=Path("/work/project")))
    command = command_of(EntryPoint("e", "x"), Given({"data": name}, (project,), seen_at=Path("/work/project")))
    assert command == f"x --data {name}"


def test_where_relative_paths_are_looked_for(tmp_path: Path) -> None:
    typed, project = tmp_path / "typed", tmp_path / "project"
    for folder in (typed, project):
        folder.mkdir()
        (folder / "both.csv").write_text("")
    (project / "there.csv").write_text("")
    folders = (typed, project)
    assert f"{typed}/both.csv" in command_of(train(), Given({"data": "both.csv"}, folders))
    assert f"{project}/there.csv" in command_of(train(), Given({"data": "there.csv"}, folders))
    undeclared = EntryPoint("t", "python train.py")
    assert command_of(undeclared, Given({"dataset": "both.csv"}, folders)).endswith(f"--dataset {typed}/both.csv")
    assert command_of(undeclared, Given({"dataset": "there.csv"}, folders)).endswith("--dataset there.csv")
    assert command_of(undeclared, Given({"word": "plain"}, folders)).endswith("--word plain")


def test_which_entry_point() -> None:
    two = parse_project("entry_points: {main: {command: a}, other: {command: b}}")
    one = parse_project("entry_points: {only: {command: c}}")
    neither = parse_project("entry_points: {x: {command: a}, y: {command: b}}")
    assert entry_point_of(two).name == "main"
    assert entry_point_of(two, "other").command == "b"
    assert entry_point_of(one).name == "only"
    with pytest.raises(InvalidInput, match="x, y"):
        entry_point_of(neither)
    with pytest.raises(InvalidInput, match="no entry point 'z'"):
        entry_point_of(neither, "z")


@pytest.mark.parametrize(
    ("name", "command"),
    [("a.py", "python a.py"), ("b c.sh", "bash 'b c.sh'"), ("x{y}.R", "Rscript 'x{{y}}.R'")],
)
def test_scripts_need_no_declaration(name: str, command: str) -> None:
    entry = entry_point_of(parse_project(""), name)
    assert command_of(entry, Given({})) == command.replace("{{y}}", "{y}")
