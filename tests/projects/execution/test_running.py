"""What a run is given, and what becomes of it, on both levels."""

from __future__ import annotations

import json

import pytest

from apps.experiments.models import Param, RunTag
from apps.projects.models import RunState
from tests.projects.execution.conftest import Execute
from tests.projects.execution.running import project, script

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("level")]


def test_a_run_ends_well_with_its_output_in_its_log(execute: Execute, level: str) -> None:
    done = execute(script("print('hello'); import sys; print('and', file=sys.stderr)"))
    assert (done.run.state, done.run.exit_code, done.run.message) == (RunState.FINISHED, 0, "")
    assert done.lines == ["hello", "and"]
    assert done.run.isolation == ("sandboxed" if level == "sandboxed" else "separate process")
    assert done.run.run is not None and done.run.run.status == "FINISHED"


def test_a_run_that_fails_says_with_which_code(execute: Execute) -> None:
    done = execute(project("exit 3"))
    assert (done.run.state, done.run.exit_code) == (RunState.FAILED, 3)
    assert done.run.message == "The command ended with 3." and done.lines == [f"[slipway] {done.run.message}"]


def test_a_run_that_was_killed_says_by_what(execute: Execute) -> None:
    done = execute(project("kill -SEGV $$"))
    assert (done.run.state, done.run.exit_code) == (RunState.FAILED, -11)
    assert done.run.message == "The command was killed by signal 11 (SIGSEGV)."


def test_the_child_has_its_own_environment_and_nothing_of_the_worker(
    execute: Execute, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLIPWAY_SECRET_KEY", "the key of the site")
    monkeypatch.setenv("DATABASE_URL", "postgresql://somewhere")
    text = "import json, os; print(json.dumps(dict(os.environ)))"
    done = execute(script(text), env_vars={"DEPTH": "3 'x' $(id)"})
    given = json.loads(done.lines[0])
    assert done.run.run is not None
    assert given["MLFLOW_RUN_ID"] == done.run.run.run_id
    assert given["MLFLOW_EXPERIMENT_ID"] == str(done.run.run.experiment_id)
    assert given["DEPTH"] == "3 'x' $(id)" and given["CUDA_VISIBLE_DEVICES"] == ""
    assert given["MLFLOW_TRACKING_TOKEN"] == "***"
    allowed = {
        *("MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_ID", "MLFLOW_TRACKING_URI", "MLFLOW_TRACKING_TOKEN", "VIRTUAL_ENV"),
        *("SLIPWAY_PROJECT_RUN_ID", "PATH", "HOME", "TMPDIR", "LANG", "PYTHONUNBUFFERED", "DEPTH", "PWD", "SHLVL", "_"),
        *("CUDA_VISIBLE_DEVICES", "LC_CTYPE", "OLDPWD"),
    }
    assert set(given) <= allowed


def test_values_are_quoted_whatever_they_hold(execute: Execute) -> None:
    files = {
        "MLproject": (
            "entry_points:\n  main:\n    parameters: {a: string, b: {type: string, default: plain}}\n"
            "    command: \"python step.py {a} '{b}'\"\n"
        ),
        "step.py": "import sys; print(sys.argv[1:])",
    }
    hostile = "$(touch pwned); `id` ' \" \\ ; & | > x"
    done = execute(files, params={"a": hostile, "extra": "it's"})
    assert done.lines == [str([hostile, "plain", "--extra", "it's"])]


def test_what_it_is_run_with_is_logged_onto_its_tracking_run(execute: Execute) -> None:
    files = {"MLproject": "entry_points: {main: {parameters: {a: {type: float, default: 0.5}}, command: 'echo {a}'}}"}
    done = execute(files)
    tags = dict(RunTag.objects.filter(run=done.run.run).values_list("key", "value"))
    assert tags["mlflow.project.entryPoint"] == "main" and tags["mlflow.project.env"] == "uv"
    assert dict(Param.objects.filter(run=done.run.run).values_list("key", "value")) == {"a": "0.5"}


def test_a_path_is_a_file_of_the_project_and_no_other(execute: Execute) -> None:
    files = {
        "MLproject": "entry_points:\n  main:\n    parameters: {data: path}\n    command: 'cat {data}'\n",
        "iris.csv": "5.1,3.5\n",
    }
    assert execute(files, params={"data": "iris.csv"}).lines == ["5.1,3.5"]


def test_a_path_out_of_the_project_is_refused(execute: Execute) -> None:
    files = {"MLproject": "entry_points:\n  main:\n    parameters: {data: path}\n    command: 'cat {data}'\n"}
    done = execute(files, params={"data": "../../../../../../etc/hostname"})
    assert done.run.state == RunState.FAILED and "sees the project alone" in done.run.message


@pytest.mark.parametrize(
    ("mlproject", "said"),
    [
        ("a: &a [x]\nb: *a\n", "line 1"),
        ("entry_points:\n  main:\n    command: 'echo {nothing}'\n", "nothing"),
        ("entry_points: {main: {command: 'true', colour: red}}\n", "line 1"),
    ],
)
def test_a_bad_mlproject_fails_with_its_line(execute: Execute, mlproject: str, said: str) -> None:
    done = execute({"MLproject": mlproject})
    assert done.run.state == RunState.FAILED and said in done.run.message
    assert done.run.message.splitlines()[0] in done.log


def test_gpus_are_told_by_name(execute: Execute) -> None:
    done = execute(project("echo $CUDA_VISIBLE_DEVICES"), gpus=2, gpus_here=("3", "5", "7"))
    assert done.lines == ["3,5"] and done.run.gpu_ids == ["3", "5"]
