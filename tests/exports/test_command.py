"""`slipway export FOLDER`: what it writes, what it leaves out, and how it goes on."""

from __future__ import annotations

import errno
import io
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from django.core.files.base import ContentFile
from django.db import OperationalError, connection

from apps.audit.models import Event
from apps.core.errors import NotFound
from apps.core.paths import ArtifactPath
from apps.experiments.artifacts.folders import ROOT, ArtifactFolder, folder_of_run
from apps.experiments.models import Experiment, LoggedModel, ModelLink, Param, Point, Run, RunTag, Series
from apps.exports.folder import registry
from apps.exports.folder import state as states
from apps.exports.folder import target as folders
from apps.exports.folder.files import FolderFiles
from apps.exports.folder.writing import put_in_place
from apps.imports.sources.folder import FolderSource
from apps.imports.sources.rest_client import RestClient
from apps.registry.models import Alias, ModelVersion, RegisteredModel
from tests.exports.exporting import export, fails, forget_all
from tests.imports.stores_of import unpack
from tests.imports.test_command import run as import_store
from tests.imports.test_command import state
from tests.personas import People, make_people

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def filled(tmp_path: Path, transactional_db: None) -> People:
    people = make_people()
    import_store(unpack("mlflow-3.17-sqlite", tmp_path / "there") / "mlflow.db")
    return people


@pytest.fixture
def bare(transactional_db: None) -> People:
    people = make_people()
    Experiment.objects.create(team=people.forge, name="empty", created_ms=1, updated_ms=1)
    return people


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def files_of(run: Run) -> ArtifactFolder:
    return folder_of_run(Run.objects.select_related("experiment").get(pk=run.pk))


def everything(folder: Path) -> dict[str, bytes]:
    store = folder / "mlruns"
    return {str(path.relative_to(store)): path.read_bytes() for path in store.rglob("*") if path.is_file()}


def test_a_dry_run_counts_and_writes_nothing(filled: People, out: Path) -> None:
    told = export(out, "--dry-run")
    assert "1,660 metric points" in told
    assert "2 model versions" in told
    assert not out.exists()
    assert not Event.objects.filter(code="team.exported").exists()


def test_what_was_exported_comes_back_the_same(filled: People, out: Path) -> None:
    taker = Run.objects.get(name="run-0", experiment__name="iris")
    model = LoggedModel.objects.get()
    ModelLink.objects.create(run=taker, model=model, direction=ModelLink.Direction.INPUT)
    before, links = state(), set(ModelLink.objects.values_list("run__run_id", "model__model_id", "direction"))
    assert "All of it is there: nothing differs." in export(out, "--checksums")
    forget_all()
    assert "All of it is here: nothing differs." in import_store(out / "mlruns", "--checksums")
    after = state()
    assert after[:6] == before[:6]
    assert after[7] == before[7]
    # Folders carry the ids of experiments, which are new.
    assert [row[:3] for row in after[6]] == [row[:3] for row in before[6]]
    assert all(row[3] for row in after[6])
    assert set(ModelLink.objects.values_list("run__run_id", "model__model_id", "direction")) == links


def test_a_second_export_writes_no_run_again(filled: People, out: Path) -> None:
    export(out)
    before = everything(out)
    told = export(out)
    assert "Was there: 10 runs, 1 logged models, 23 files." in told
    assert everything(out) == before


def test_what_went_on_is_written_anew(filled: People, out: Path) -> None:
    export(out)
    run = Run.objects.get(name="run-1", experiment__name="iris")
    series = Series.objects.get(run=run, key="acc")
    Point.objects.create(series=series, step=99, timestamp=5, value=0.9)
    Series.objects.filter(pk=series.pk).update(count=21, last_step=99, last_value=0.9, last_timestamp=5)
    RunTag.objects.create(run=run, key="late", value="yes")
    files_of(run).write(ArtifactPath.parse("late.txt"), io.BytesIO(b"late"), 4)
    files_of(run).write(ArtifactPath.parse("plots/a.txt"), ContentFile(b"PLOT 1\n"), 7)
    told = export(out, "--checksums")
    assert "1 runs" in told
    assert "2 files" in told
    folder = next((out / "mlruns").glob(f"*/{run.run_id}"))
    assert (folder / "tags" / "late").read_text() == "yes"
    assert (folder / "metrics" / "acc").read_text().splitlines()[-1] == "5 0.9 99"
    assert (folder / "artifacts" / "plots" / "a.txt").read_bytes() == b"PLOT 1\n"


@pytest.mark.parametrize("after", [1, 9])
def test_an_export_that_broke_off_is_done_by_the_next(filled: People, out: Path, monkeypatch: Any, after: int) -> None:
    whole = out.with_name("whole")
    export(whole, "--address", "file:///same")
    seen = []

    def breaks(*arguments: Any, **named: Any) -> None:
        seen.append(1)
        if len(seen) > after:
            raise KeyboardInterrupt
        original(*arguments, **named)

    original = put_in_place
    monkeypatch.setattr(folders, "put_in_place", breaks)
    code, line, _ = fails(out, "--address", "file:///same")
    assert (code, line) == (130, "Stopped. The same command goes on.")
    monkeypatch.undo()
    assert "nothing differs" in export(out, "--address", "file:///same", "--checksums")
    assert everything(out) == everything(whole)


def test_what_somebody_changed_there_is_found(filled: People, out: Path) -> None:
    export(out)
    run = Run.objects.get(name="run-1", experiment__name="iris")
    folder = next((out / "mlruns").glob(f"*/{run.run_id}"))
    (folder / "metrics" / "acc").write_text("no number\n")
    (folder / "tags" / "seed").write_text("other")
    (folder / "artifacts" / "more").write_text("more")
    model = LoggedModel.objects.get()
    (next((out / "mlruns").glob(f"*/models/{model.model_id}/tags")) / "other").write_text("more")
    code, line, said = fails(out)
    assert f"logged model {model.model_id} is not there as it is here" in said
    assert (code, line.split(",")[1]) == (1, " and 4 differ. What went on meanwhile is brought by the same command.")
    for words in ("the metric 'acc' differ", "the tags differ", "the file 'more' is not there as it is here"):
        assert words in said


def test_two_events_tell_of_it(filled: People, out: Path) -> None:
    export(out, "--experiment", "iris")
    began, ended = Event.objects.filter(code__startswith="team.export").order_by("pk")
    assert began.after is not None
    assert ended.after is not None
    assert (began.code, began.actor_name, began.team_name) == ("team.exported", "export", "forge")
    assert began.after["to"] == str(out)
    assert began.after["experiments"] == ["iris"]
    assert ended.after["exported"]["runs"] == 5
    assert ended.after["differ"] == 0


def test_the_first_event_is_there_before_a_server_is_asked(bare: People, monkeypatch: Any) -> None:
    def asked(*arguments: Any, **named: Any) -> Any:
        raise AssertionError([event.code for event in Event.objects.filter(code__startswith="team.export")])

    monkeypatch.setattr(RestClient, "_request", asked)
    with pytest.raises(AssertionError, match=r"team\.exported"):
        export("http://127.0.0.1:1")


def test_no_statement_stays_open_while_files_are_copied(filled: People, out: Path, monkeypatch: Any) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("the log is SQLite's")
    open_then = []
    original = ArtifactFolder.list

    def looks(self: ArtifactFolder, path: ArtifactPath = ROOT) -> Any:
        # Not while a statement is being read.
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            open_then.append(cursor.fetchone()[0])
        return original(self, path)

    monkeypatch.setattr(ArtifactFolder, "list", looks)
    export(out)
    assert set(open_then) == {0}


def test_only_what_was_named(filled: People, out: Path) -> None:
    told = export(out, "--experiment", "iris")
    assert "5 runs" in told
    assert {each.name for each in FolderSource(out / "mlruns").experiments()} == {"iris"}
    assert not (out / "mlruns" / "models" / "echo").exists()


def test_a_model_takes_what_its_versions_are_of(filled: People, out: Path) -> None:
    version = ModelVersion.objects.get(model__name="echo", number=1)
    told = export(out, "--model", "echo")
    assert "All of it is there" in told
    source = FolderSource(out / "mlruns")
    (experiment,) = source.experiments()
    runs = {run_id for run_id, _ in source.run_ids(experiment.old_id)}
    assert runs == ({version.source_run.run_id} if version.source_run else set())
    assert [each.model.model_id for each in source.logged_models(experiment.old_id)] == [
        LoggedModel.objects.get().model_id
    ]
    assert [model.name for model in source.registered_models()] == ["echo"]


def test_teams_are_exported_one_by_one(filled: People, out: Path) -> None:
    assert "nothing that could be exported" in fails(out, team="harbour")[1]
    assert not out.exists()
    Experiment.objects.create(team=filled.harbour, name="empty", created_ms=1, updated_ms=1)
    assert "1 experiments" in export(out, team="harbour")
    code, line, _ = fails(out)
    assert code == 2
    assert "holds another export" in line


def test_keys_that_a_folder_cannot_keep_are_told(filled: People, out: Path) -> None:
    run = Run.objects.get(name="run-1", experiment__name="iris")
    for key in ("lr/warm", "../../../../escaped", "/absolute"):
        Param.objects.create(run=run, key=key, value="1")
    RunTag.objects.create(run=run, key="ö" * 200, value="1")
    code, line, said = fails(out)
    assert code == 1
    assert line.startswith("4 things were left out")
    assert "'lr/warm' would be a file in 'lr'" in said
    assert "'../../../../escaped' can't be the name of a file" in said
    assert "is too long for the name of a file" in said
    assert not list(out.parent.rglob("escaped"))


def test_files_of_another_team_stay_there(filled: People, out: Path) -> None:
    LoggedModel.objects.update(
        experiment=Experiment.objects.create(team=filled.harbour, name="x", created_ms=1, updated_ms=1)
    )
    code, _, said = fails(out)
    assert code == 1
    assert "its files are those of logged model" in said


def test_no_files_are_taken_when_not_wanted(filled: People, out: Path) -> None:
    assert "nothing differs" in export(out, "--no-artifacts")
    assert not [path for path in everything(out) if "/artifacts/" in path]


def test_a_full_disk_ends_it(filled: People, out: Path, monkeypatch: Any) -> None:
    def full(*arguments: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(FolderFiles, "put", full)
    code, line, said = fails(out)
    assert code == 2
    assert "No space left on device" in line
    assert "left out" not in said


@pytest.mark.parametrize(
    "error", [ClientError({"Error": {"Code": "503"}}, "ListObjectsV2"), OSError(errno.EIO, "broken")]
)
def test_files_that_cannot_be_listed_are_told(filled: People, out: Path, monkeypatch: Any, error: Exception) -> None:
    broken = Run.objects.get(name="run-1", experiment__name="iris").run_id
    original = ArtifactFolder.list

    def breaks(self: ArtifactFolder, path: ArtifactPath = ROOT) -> Any:
        if self.run_id == broken and str(path) == "plots":
            raise error
        return original(self, path)

    monkeypatch.setattr(ArtifactFolder, "list", breaks)
    code, line, said = fails(out)
    assert (code, line.partition(",")[0]) == (1, "1 things were left out")
    assert f"left out: run {broken}: 'plots': " in said
    assert Event.objects.filter(code="team.export_ended").exists()


def test_a_file_that_goes_while_it_is_compared_is_told(filled: People, out: Path, monkeypatch: Any) -> None:
    export(out)

    def gone(self: ArtifactFolder, path: ArtifactPath, *range: Any) -> Any:
        raise NotFound("No such artifact: 'x'")

    monkeypatch.setattr(ArtifactFolder, "open", gone)
    code, _, said = fails(out, "--checksums")
    assert code == 1
    assert "can't be compared: No such artifact" in said


def test_folders_that_are_too_deep_are_told(filled: People, out: Path) -> None:
    run = Run.objects.get(name="run-1", experiment__name="iris")
    deep = "/".join("d" * 70)
    files_of(run).write(ArtifactPath.parse(f"{deep}/x"), io.BytesIO(b"x"), 1)
    code, line, said = fails(out)
    assert code == 1
    assert line.startswith("1 things were left out, and 0 differ")
    assert "it lies deeper than 64 folders" in said


@pytest.mark.parametrize(
    "error",
    [
        ClientError({"Error": {"Code": "503"}}, "GetObject"),
        EndpointConnectionError(endpoint_url="http://s3"),
        sqlite3.OperationalError("database or disk is full"),
        OperationalError("the connection is lost"),
    ],
)
def test_what_breaks_underneath_is_one_line(bare: People, out: Path, monkeypatch: Any, error: Exception) -> None:
    def breaks(*arguments: Any) -> None:
        raise error

    monkeypatch.setattr(folders.FolderTarget, "put_experiment", breaks)
    code, line, _ = fails(out)
    assert code == 2
    assert line.endswith("The same command goes on.")


def test_where_the_folder_will_lie(filled: People, out: Path) -> None:
    export(out, "--address", "mlflow-artifacts:/")
    run = Run.objects.get(name="run-1", experiment__name="iris")
    meta = next((out / "mlruns").glob(f"*/{run.run_id}/meta.yaml")).read_text()
    assert f"artifact_uri: mlflow-artifacts:/{run.experiment_id}/{run.run_id}/artifacts" in meta


def test_the_default_experiment_of_a_team_is_zero(filled: People, out: Path) -> None:
    default = Experiment.objects.get(team=filled.forge, name="Default")
    assert default.pk != 0
    export(out)
    assert "name: Default" in (out / "mlruns" / "0" / "meta.yaml").read_text()


def test_a_default_that_was_renamed_is_still_zero(filled: People, out: Path) -> None:
    # As it is in the first team, where its number is given.
    Experiment.objects.create(pk=0, team=filled.forge, name="renamed", created_ms=1, updated_ms=1)
    anew = Experiment.objects.get(team=filled.forge, name="Default")
    assert "nothing differs" in export(out)
    assert "name: renamed" in (out / "mlruns" / "0" / "meta.yaml").read_text()
    assert "name: Default" in (out / "mlruns" / str(anew.pk) / "meta.yaml").read_text()


def test_one_export_at_a_time(bare: People, out: Path) -> None:
    holder = states.State(out)
    holder.take({})
    (out / states.MANIFEST).unlink()
    code, line, _ = fails(out)
    holder.close()
    assert code == 2
    assert "Another export is writing" in line


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("full", "is not empty"),
        ("file", "is a file"),
        ("file/below", "can't be written"),
        ("broken", "was changed by somebody"),
        ("s3://bucket/x", "'s3' is no kind of target"),
        ("sqlite:///x.db", "'sqlite' is no kind of target"),
        ("http://127.0.0.1:1", "does not answer"),
        ("http://me:secret@127.0.0.1:1", "MLFLOW_TRACKING_USERNAME"),
    ],
)
def test_bad_targets_are_one_line(bare: People, tmp_path: Path, target: str, words: str) -> None:
    for name in ("full", "broken"):
        (tmp_path / name).mkdir()
    (tmp_path / "full" / "other").write_text("mine")
    (tmp_path / "file").write_text("mine")
    (tmp_path / "broken" / states.MANIFEST).write_text("{")
    code, line, _ = fails(target if "://" in target else tmp_path / target)
    assert code == 2
    assert words in line
    assert "secret" not in line
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["other"]


def test_the_servers_own_folder_is_no_target(bare: People, settings: Any) -> None:
    code, line, _ = fails(Path(settings.DATA.root) / "out")
    assert code == 2
    assert "Slipway's own data" in line


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ("--experiment", "has no experiment 'nobody'"),
        ("--model", "has no registered model 'nobody'"),
    ],
)
def test_names_that_are_not_there(bare: People, out: Path, option: str, words: str) -> None:
    code, line, _ = fails(out, option, "nobody")
    assert code == 2
    assert words in line
    assert not out.exists()


def test_a_team_that_is_not_there(bare: People, out: Path) -> None:
    assert fails(out, team="nobody")[0] == 2


def test_the_number_that_was_given_last_is_kept(filled: People, out: Path) -> None:
    ModelVersion.objects.filter(model__name="echo", number=3).delete()
    export(out)
    forget_all()
    import_store(out / "mlruns")
    assert RegisteredModel.objects.get(name="echo").last_number == 3


def test_what_others_put_into_the_registry_stays(filled: People, out: Path) -> None:
    export(out)
    echo = out / "mlruns" / "models" / "echo"
    (echo.with_name("theirs")).mkdir()
    (echo.with_name("theirs") / "meta.yaml").write_text("name: theirs\n")
    (echo / "version-9").mkdir()
    (echo / "version-9" / "meta.yaml").write_text("current_stage: None\nversion: 9\nsource: s3://theirs\n")
    (echo / "aliases" / "mine").write_text("9")
    (echo / "tags" / "mine").write_text("yes")
    alias = Alias.objects.get(model__name="echo")
    assert (echo / "aliases" / alias.name).is_file()
    alias.delete()
    theirs = {path: text for path, text in everything(out).items() if "theirs" in path or "9" in path or "mine" in path}
    assert "nothing differs" in export(out)
    assert theirs.items() <= everything(out).items()
    assert not (echo / "aliases" / alias.name).exists()
    RegisteredModel.objects.create(team=filled.forge, name="theirs", created_ms=1, updated_ms=1)
    ModelVersion.objects.filter(model__name="echo", number=3).update(number=9)
    code, _, said = fails(out)
    assert code == 1
    assert "registered model 'theirs': a model of this name is there, and is of no export" in said
    assert "registered model 'echo': 'version-9' is somebody else's there" in said
    assert theirs.items() <= everything(out).items()
    # What is gone here since stays too, and is told.
    assert (echo / "version-3" / "meta.yaml").is_file()
    assert "the registered model 'echo' is not there as it is here" in said


@pytest.mark.parametrize(("number", "code"), [(errno.ENOSPC, 2), (errno.EIO, 1)])
def test_a_model_that_could_not_be_written_stays_as_it_was(
    filled: People, out: Path, monkeypatch: Any, number: int, code: int
) -> None:
    export(out)
    before = everything(out)
    RegisteredModel.objects.filter(name="echo").update(description="other")

    def breaks(*arguments: Any) -> None:
        raise OSError(number, "broken")

    monkeypatch.setattr(registry, "write_pairs", breaks)
    assert fails(out)[0] == code
    assert everything(out) == before
    monkeypatch.undo()
    assert "nothing differs" in export(out)


def test_the_manifest_says_what_it_is(bare: People, out: Path) -> None:
    export(out)
    said = json.loads((out / states.MANIFEST).read_text())
    assert (said["team"], said["experiments"], said["files"]) == ("forge", [], True)
    assert out.stat().st_mode & 0o077 == 0
