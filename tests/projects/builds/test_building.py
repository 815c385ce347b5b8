"""Builds from the queue to their evidence, with the real client in an environment that uv makes."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from apps.accounts import actions as accounts
from apps.accounts.models import Token
from apps.core.actor import system_actor
from apps.core.errors import Conflict, InvalidInput
from apps.projects.actions import sweep_runs
from apps.projects.models import Build, JobKind, RunState
from apps.registry.models import ModelVersion
from tests.personas import People
from tests.projects.builds.making import LOADER, MLMODEL, MODEL, built, carry_out, make_model, start
from tests.projects.queue.making import end, fresh, make_worker, rested, silence, started
from tests.registry.gates.test_files import put
from tests.registry.test_never_loaded import Evil


def test_a_model_is_loaded_and_scored_apart(people: People) -> None:
    version = make_model(people)
    run = start(people.ben, version)
    assert (run.kind, run.project_name, run.owner) == (JobKind.BUILD, "iris version 1", people.ben.user)
    build, outcome = carry_out(run)
    assert (outcome.run.state, build.error) == (RunState.FINISHED, ""), outcome.log
    found = build.result
    assert build.is_green and build.finished_ms
    assert found["example"] and found["scored"] == 20 and found["latency_ms"] > 0 and found["load_ms"] > 0
    assert found["bytes"] == sum(map(len, MODEL.values())) and len(found["sha256"]) == 64
    assert any(name.startswith("mlflow-skinny==") for name in found["packages"])
    assert found["schema"]["inputs"] and "Series" in found["answer"]
    assert "[slipway] Copied 6 files of iris version 1." in outcome.lines
    assert outcome.run.message.startswith("Loaded in ")
    # It asks the server for nothing.
    assert not Token.objects.filter(name__startswith="project run").exists()


def test_what_a_model_cannot_do_is_said(people: People) -> None:
    broken = LOADER.replace("return Doubling()", "raise RuntimeError('no weights')")
    version = make_model(people, **{"code/doubling.py": broken})
    build, outcome = carry_out(start(people.ben, version))
    assert outcome.run.state == RunState.FAILED
    assert build.is_green is False and "RuntimeError: no weights" in build.error
    assert "Traceback" in outcome.log


def test_without_an_example_its_latency_is_not_known(people: People) -> None:
    version = make_model(people, MLmodel=MLMODEL.partition("saved_input_example_info")[0])
    build, outcome = carry_out(start(people.ben, version))
    assert build.is_green, outcome.log
    assert not build.result.get("example") and "latency_ms" not in build.result


def test_nothing_of_it_is_loaded_by_the_worker(people: People, tmp_path: Path) -> None:
    """The model's code runs in the child, where this folder is not; here nobody opens what it is made of."""
    mark = tmp_path / "slipway-was-here"
    hostile = f"import pathlib\ntry:\n    pathlib.Path({str(mark)!r}).touch()\nexcept OSError:\n    pass\n"
    version = make_model(people, **{"code/doubling.py": hostile + LOADER})
    for name in ("model.pkl", "input_example.pkl", "python_model.pkl"):
        put(people.ada, version, name, pickle.dumps(Evil(mark)))
    build, outcome = carry_out(start(people.ben, version))
    assert build.is_green, outcome.log
    if outcome.run.isolation == "sandboxed":
        assert not mark.exists()


def test_a_forged_result_is_nothing_but_its_word(people: People) -> None:
    """A model may write the file itself, and write nonsense: then the build has failed."""
    forging = "import os, pathlib, sys\npathlib.Path(sys.argv[2]).write_text('{\"load_ms\": -1}')\nos._exit(0)\n"
    version = make_model(people, **{"code/doubling.py": forging + LOADER})
    build, outcome = carry_out(start(people.ben, version))
    assert (outcome.run.state, build.is_green) == (RunState.FAILED, False)
    assert build.error == "The build left no result that can be read."


def test_one_at_a_time_and_again(people: People) -> None:
    version = make_model(people)
    run = start(people.ada, version)
    with pytest.raises(Conflict, match=f"run {run.pk}"):
        start(people.ben, version)


def test_a_version_without_files_is_not_built(people: People) -> None:
    version = make_model(people)
    ModelVersion.objects.filter(pk=version.pk).update(folder="")
    version.refresh_from_db()
    with pytest.raises(InvalidInput, match="nothing to build"):
        start(people.ada, version)


def test_an_owner_who_may_not_read_it_any_more_builds_nothing(people: People) -> None:
    version = make_model(people)
    run = start(people.ben, version)
    accounts.remove_member(people.root.actor, team=people.forge, user=people.ben.user)
    build, outcome = carry_out(run)
    assert (outcome.run.state, build.is_green) == (RunState.FAILED, False)


def test_a_retried_build_forgets_what_the_last_attempt_found(people: People) -> None:
    build = built(make_model(people), people.ada, latency_ms=1.0, example=True)
    assert build.is_green and build.result["latency_ms"] == 1.0
    assert Build.objects.count() == 1


def test_a_lost_worker_is_no_reason_to_give_up_a_build_and_one_that_fails_is(people: People) -> None:
    run = start(people.ada, make_model(people))
    silence(started(make_worker()))
    assert sweep_runs(system_actor()) == 1
    assert fresh(run).state == RunState.QUEUED
    rested(run)
    end(started(make_worker()), RunState.FAILED, "no such package")
    assert fresh(run).state == RunState.FAILED
    build = Build.objects.get()
    assert (build.is_green, build.error) == (False, "no such package")
