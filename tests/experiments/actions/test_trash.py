from __future__ import annotations

import io
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from apps.audit.models import Event
from apps.core.actor import system_actor
from apps.core.paths import ArtifactPath
from apps.experiments import actions, tasks
from apps.experiments.actions import trash
from apps.experiments.artifacts.folders import folder_of_run
from apps.experiments.models import DoomedFolder, Experiment, Param, Point, Run, Series, StorageUsage
from tests.experiments.artifacts.conftest import data_folder, files
from tests.experiments.artifacts.files import make_model, put, run_root
from tests.experiments.runs import log_metrics, make_run
from tests.personas import People

__all__ = ["data_folder", "files"]


def deleted_run(people: People, name: str = "gone", *, experiment: str = "iris") -> str:
    """A run in the trash, with metrics, params and a file."""
    run_id = make_run(people.ada, name=name, experiment=experiment)
    log_metrics(people.ada, run_id, "loss", [3, 2, 1])
    people.ada.call("POST", "runs/log-parameter", {"run_id": run_id, "key": "k", "value": "v"})
    assert put(people.ada, run_root(run_id), "a.txt", b"alpha").status_code == 200
    actions.delete_run(people.ada.actor, run=fetched(run_id))
    return run_id


def fetched(run_id: str) -> Run:
    return Run.objects.select_related("experiment__team").get(run_id=run_id)


def gc(*arguments: str) -> str:
    out = io.StringIO()
    call_command("gc", *arguments, stdout=out)
    return out.getvalue()


def names(root: Path) -> set[str]:
    return {path.name for path in root.rglob("*.txt")}


def test_a_run_goes_with_its_rows_and_files(people: People, files: Path) -> None:
    kept = make_run(people.ada, name="kept")
    put(people.ada, run_root(kept), "kept.txt", b"x")
    gone = deleted_run(people)
    assert f"run {gone}\n" in gc()
    assert set(Run.objects.values_list("run_id", flat=True)) == {kept}
    assert not (Series.objects.exists() or Point.objects.exists() or Param.objects.exists())
    assert names(files) == {"kept.txt"}
    assert not DoomedFolder.objects.exists()
    event = Event.objects.get(code="run.purged")
    assert event.before == {"run_ids": [gone]}


def test_a_dry_run_only_says_what_would_go(people: People, files: Path) -> None:
    gone = deleted_run(people)
    assert gc("--dry-run").splitlines() == [f"run {gone}", "would remove 1, failed 0"]
    assert Run.objects.filter(run_id=gone).exists()
    assert names(files) == {"a.txt"}


def test_what_is_too_young_stays(people: People) -> None:
    gone = deleted_run(people)
    assert gc("--older-than", "30d").splitlines() == ["removed 0, failed 0"]
    with pytest.raises(CommandError):
        gc("--older-than", "1d", "--run-ids", gone)
    assert Run.objects.filter(run_id=gone).exists()


def test_only_what_is_named_goes(people: People) -> None:
    first, second = deleted_run(people, "first"), deleted_run(people, "second")
    active = make_run(people.ada, name="active")
    with pytest.raises(CommandError):
        gc("--run-ids", f"{first},{active},nothing")
    assert set(Run.objects.values_list("run_id", flat=True)) == {second, active}


def test_an_experiment_goes_with_all_in_it(people: People, files: Path) -> None:
    run_id = make_run(people.ada, experiment="doomed")
    put(people.ada, run_root(run_id), "a.txt", b"x")
    model = make_model(people.ada, run_id)
    put(people.ada, f"{model.experiment_id}/models/{model.model_id}/artifacts", "model.txt", b"x")
    experiment = Experiment.objects.select_related("team").get(name="doomed")
    actions.delete_experiment(people.ada.actor, experiment=experiment)
    assert "failed 0" in gc()
    assert not Experiment.objects.filter(name="doomed").exists()
    assert names(files) == set()
    assert not (files / str(experiment.pk)).exists()


def test_one_that_cannot_go_stops_no_other(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    bad, good = deleted_run(people, "bad"), deleted_run(people, "good")
    real = folder_of_run
    monkeypatch.setattr(trash, "folder_of_run", lambda run: 1 / 0 if run.run_id == bad else real(run))
    outcomes = list(actions.empty_trash(system_actor(), wanted=actions.Wanted(before_ms=actions.now_ms())))
    assert {(outcome.id, bool(outcome.error)) for outcome in outcomes} == {(bad, True), (good, False)}
    assert Run.objects.filter(run_id=bad).exists()


def test_a_crash_before_the_files_go_is_made_up_for(
    people: People, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deleted_run(people)
    with monkeypatch.context() as broken:
        broken.setattr(trash, "folder_at", lambda uri: 1 / 0)
        with pytest.raises(CommandError):
            gc()
    assert not Run.objects.exists()
    assert names(files) == {"a.txt"}
    gc()
    assert names(files) == set()
    assert not DoomedFolder.objects.exists()


def test_retention_leaves_what_is_young(people: People) -> None:
    old, young = deleted_run(people, "old"), deleted_run(people, "young")
    Run.objects.filter(run_id=old).update(deleted_ms=actions.now_ms() - 31 * tasks.DAY_MS)
    assert tasks.retention() == 1
    assert list(Run.objects.values_list("run_id", flat=True)) == [young]


def test_storage_is_counted_by_experiment(people: People) -> None:
    run_id = make_run(people.ada)
    for path, data in (("a.txt", b"12345"), ("dir/b.txt", b"678")):
        put(people.ada, run_root(run_id), path, data)
    tasks.count_storage()
    usage = StorageUsage.objects.get(experiment=fetched(run_id).experiment)
    assert (usage.files, usage.bytes) == (2, 8)
    assert folder_of_run(fetched(run_id)).exists(ArtifactPath.parse("dir/b.txt"))
