"""`slipway import` as it is typed: what it tells, what it leaves out, and how it ends."""

from __future__ import annotations

import io
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from apps.accounts.models import Team
from apps.audit.models import Event
from apps.experiments import actions
from apps.experiments.models import Experiment, LoggedModel, Param, Point, Run, RunTag, Series
from apps.imports import moving
from apps.registry.models import Alias, ModelVersion, Placement, RegisteredModel
from tests.imports.stores_of import unpack
from tests.personas import People, make_people
from tests.registry.promotion.making import PRODUCTION, set_policy

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def store(tmp_path: Path, people: People) -> Path:
    return unpack("mlflow-3.17-sqlite", tmp_path / "there") / "mlflow.db"


@pytest.fixture
def people(transactional_db: None) -> People:
    return make_people()


def run(*arguments: object, team: str = "forge") -> str:
    out, beside = io.StringIO(), io.StringIO()
    call_command("import", *map(str, arguments), "--team", team, stdout=out, stderr=beside)
    return out.getvalue()


def fails(*arguments: object, team: str = "forge") -> tuple[int, str, str]:
    """Its exit code, its one line, and what it said before."""
    out, beside = io.StringIO(), io.StringIO()
    with pytest.raises(CommandError) as raised:
        call_command("import", *map(str, arguments), "--team", team, stdout=out, stderr=beside)
    line = str(raised.value)
    assert "\n" not in line
    return raised.value.returncode, line, beside.getvalue()


def change(store: Path, sql: str, *values: Any) -> None:
    with closing(sqlite3.connect(store)) as connection, connection:
        connection.execute(sql, values)


def state() -> list[Any]:
    """All that was brought over, without the keys of rows."""
    return [
        sorted(Run.objects.values_list("run_id", "name", "status", "start_ms", "end_ms", "experiment__name")),
        sorted(Point.objects.values_list("series__run__run_id", "series__key", "step", "timestamp", "value", "is_nan")),
        sorted(Series.objects.values_list("run__run_id", "key", "count", "last_value", "last_step")),
        sorted(Param.objects.values_list("run__run_id", "key", "value")),
        sorted(RunTag.objects.values_list("run__run_id", "key", "value")),
        sorted(LoggedModel.objects.values_list("model_id", "name")),
        sorted(ModelVersion.objects.values_list("model__name", "number", "stage", "folder")),
        sorted(Alias.objects.values_list("model__name", "name", "version__number")),
    ]


def test_a_dry_run_counts_and_changes_nothing(store: Path) -> None:
    told = run(store, "--dry-run")
    assert "1,660 metric points" in told
    assert "2 model versions" in told
    assert not Run.objects.exists()
    assert not Experiment.objects.filter(name="iris").exists()


def test_a_second_import_brings_nothing(store: Path) -> None:
    assert "All of it is here" in run(store)
    before, events = state(), Event.objects.count()
    assert "Brought over: nothing." in run(store)
    assert state() == before
    assert Event.objects.count() == events


def test_there_is_an_event_for_each_batch_and_model(store: Path) -> None:
    run(store)
    codes = list(Event.objects.values_list("code", flat=True))
    assert codes.count("run.imported") == 3
    assert codes.count("registered_model.imported") == 2
    assert codes.count("model_version.moved") == 2
    assert codes.count("model_version.created") == 0


def test_the_old_id_is_kept_as_a_tag(store: Path) -> None:
    run(store)
    tags = dict(Experiment.objects.get(name="iris").tags.values_list("key", "value"))
    assert tags["slipway.import.experiment_id"] == "1"
    assert tags["slipway.import.source"] == f"sqlite:///{store}"


def test_numbers_of_deleted_versions_never_come_again(store: Path) -> None:
    run(store)
    model = RegisteredModel.objects.get(name="echo")
    assert list(model.versions.order_by("number").values_list("number", flat=True)) == [1, 3]
    assert model.last_number == 3
    assert Placement.objects.filter(model=model, until_ms=None).count() == 3


def test_what_was_logged_since_is_added(store: Path) -> None:
    run_id = "a" * 32
    change(
        store,
        "INSERT INTO runs (run_uuid, name, status, start_time, user_id, lifecycle_stage, artifact_uri, experiment_id) "
        "VALUES (?, 'long', 'RUNNING', 5, 'root', 'active', ?, 1)",
        run_id,
        f"/srv/mlflow/mlruns/1/{run_id}/artifacts",
    )
    point = "INSERT INTO metrics (run_uuid, key, value, timestamp, step, is_nan) VALUES (?, 'm', ?, ?, ?, 0)"
    change(store, point, run_id, 1.0, 1, 1)
    run(store)
    change(store, point, run_id, 2.0, 2, 2)
    change(store, "INSERT INTO tags (run_uuid, key, value) VALUES (?, 'late', 'yes')", run_id)
    change(store, "UPDATE runs SET status = 'FINISHED', end_time = 9 WHERE run_uuid = ?", run_id)
    assert "1 runs that went on" in run(store)
    brought = Run.objects.get(run_id=run_id)
    assert (brought.status, brought.end_ms) == ("FINISHED", 9)
    series = brought.series.get(key="m")
    assert (series.count, series.last_value, series.points.count()) == (2, 2.0, 2)
    assert brought.tags.get(key="late").value == "yes"


def test_an_import_that_broke_off_is_done_by_the_next(store: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(moving, "CHUNK_RUNS", 1)
    seen = []

    def breaks(*arguments: Any, **named: Any) -> Any:
        seen.append(1)
        if len(seen) == 4:
            raise KeyboardInterrupt
        return original(*arguments, **named)

    original = actions.adopt_runs
    monkeypatch.setattr(actions, "adopt_runs", breaks)
    code, line, _ = fails(store)
    assert (code, line) == (130, "Stopped. What is here is whole; the same command goes on.")
    assert Run.objects.count() == 3
    monkeypatch.undo()
    assert "7 runs" in run(store)
    assert (Run.objects.count(), Point.objects.count()) == (10, 1660)


def test_broken_rows_are_left_out_and_told(store: Path) -> None:
    with closing(sqlite3.connect(store)) as connection, connection:
        connection.execute("PRAGMA ignore_check_constraints = 1")
        connection.execute("UPDATE runs SET status = 'LOST' WHERE name = 'child' AND experiment_id = 1")
        connection.execute("UPDATE metrics SET value = 'much' WHERE key = 'val/f1' AND step = -4")
    code, line, said = fails(store)
    assert code == 1
    assert "were left out" in line
    assert "'LOST' is not a valid RunStatus" in said
    assert "'val/f1' has a value that is no number" in said
    assert Run.objects.count() == 9


def test_a_policy_is_not_gone_past(store: Path, people: People) -> None:
    set_policy(people, PRODUCTION, approvals=2, rollback_by="", is_final=True)
    code, _, said = fails(store)
    assert code == 1
    assert "did not get its stage Production" in said
    assert ModelVersion.objects.get(model__name="echo", number=3).stage == "None"


def test_runs_are_in_one_team(store: Path) -> None:
    run(store)
    code, _, said = fails(store, team="harbour")
    assert code == 1
    assert "is in the experiment 'iris' of the team forge already" in said
    assert Run.objects.count() == 10
    # Nor does the other team get to read their files by its versions.
    theirs = ModelVersion.objects.filter(model__team__name="harbour")
    assert theirs.exists()
    assert not theirs.exclude(folder="").exists()
    assert ModelVersion.objects.filter(model__team__name="forge").exclude(folder="").exists()


def test_a_model_of_the_same_name_stays(store: Path) -> None:
    team = Team.objects.get(name="forge")
    RegisteredModel.objects.create(team=team, name="echo", description="ours", created_ms=1, updated_ms=1)
    code, _, said = fails(store)
    assert code == 1
    assert "a model of this name is here already" in said
    assert RegisteredModel.objects.get(name="echo").description == "ours"


def test_files_are_read_below_named_folders_alone(store: Path, tmp_path: Path) -> None:
    secret = tmp_path / "elsewhere"
    secret.mkdir()
    (secret / "key").write_text("secret")
    change(store, "UPDATE runs SET artifact_uri = ? WHERE name = 'child'", str(secret))
    code, _, said = fails(store)
    assert code == 1
    assert "which is in no folder that was named" in said


def test_links_are_not_followed(store: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(store)) as connection:
        (run_id,) = connection.execute("SELECT run_uuid FROM runs WHERE name = 'run-0' LIMIT 1").fetchone()
        (number,) = connection.execute("SELECT experiment_id FROM runs WHERE run_uuid = ?", [run_id]).fetchone()
    folder = store.parent / "mlruns" / str(number) / run_id / "artifacts"
    (tmp_path / "key").write_text("secret")
    (folder / "link").symlink_to(tmp_path / "key")
    assert "23 files" in run(store)


def test_a_version_that_names_the_folder_of_a_model_finds_it(store: Path) -> None:
    found = "/srv/mlflow/mlruns/1/models/' || substr(source, 9) || '/artifacts"
    change(store, f"UPDATE model_versions SET source = '{found}' WHERE source LIKE 'models:/m-%'")  # noqa: S608
    run(store)
    version = ModelVersion.objects.get(model__name="echo", number=1)
    assert version.logged_model == LoggedModel.objects.get()
    assert version.folder.endswith(f"/models/{LoggedModel.objects.get().model_id}/artifacts")


def test_missing_files_stop_it_before_it_begins(tmp_path: Path, store: Path) -> None:
    alone = tmp_path / "alone" / "mlflow.db"
    alone.parent.mkdir()
    store.rename(alone)
    code, line, _ = fails(alone)
    assert code == 2
    assert "Files lie at /srv/mlflow/mlruns" in line
    assert not Run.objects.exists()
    assert "10 runs" in run(alone, "--no-artifacts")
    assert "23 files" in run(alone, "--artifacts", store.parent / "mlruns")


def test_the_servers_own_folder_is_no_source(store: Path, settings: Any) -> None:
    code, line, _ = fails(store, "--artifacts", settings.DATA.root)
    assert code == 2
    assert "holds Slipway's own data" in line


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("nowhere.db", "There is no file"),
        ("text.db", "can't be read as an SQLite database"),
        ("other.db", "is no store of MLflow"),
        ("empty", "is no store of MLflow"),
        ("mysql://host/db", "of the kind 'mysql' are not read"),
        ("postgresql://127.0.0.1:1/none", "can't be reached"),
        ("http://127.0.0.1:1", "not"),
        ("http://me:secret@127.0.0.1:1", "MLFLOW_TRACKING_USERNAME"),
    ],
)
def test_what_is_no_store_is_one_line(tmp_path: Path, people: People, source: str, words: str) -> None:
    (tmp_path / "text.db").write_text("a text that is no database " * 100)
    sqlite3.connect(tmp_path / "other.db").execute("CREATE TABLE things (id int)")
    (tmp_path / "empty").mkdir()
    code, line, _ = fails(source if "://" in source else tmp_path / source)
    assert code == 2
    assert words in line


def test_a_store_that_is_cut_off_is_one_line(store: Path) -> None:
    whole = store.read_bytes()
    store.write_bytes(whole[: len(whole) // 3])
    code, line, _ = fails(store)
    assert code == 2
    assert "can't be read" in line


def test_a_folder_with_broken_runs(tmp_path: Path, people: People) -> None:
    folder = unpack("mlflow-3.17-files", tmp_path / "there") / "mlruns"
    experiment = next(path.parent for path in folder.glob("*/meta.yaml") if "name: iris" in path.read_text())
    runs = [path for path in experiment.iterdir() if len(path.name) == 32]
    (runs[0] / "meta.yaml").write_text("!!python/object/apply:os.system ['true']")
    (runs[1] / "meta.yaml").unlink()
    code, _, said = fails(folder)
    assert code == 1
    assert runs[0].name in said
    assert runs[1].name in said
    assert Run.objects.count() == 8


def test_both_releases_and_kinds_come_over(tmp_path: Path, people: People) -> None:
    for store in ("mlflow-2.22-sqlite", "mlflow-3.17-files"):
        folder = unpack(store, tmp_path / store)
        named = folder / ("mlruns" if store.endswith("files") else "mlflow.db")
        if store.endswith("files"):
            _, _, said = fails(named, "--checksums")
            assert said.count("a model of this name is here already") == 2
        else:
            run(named, "--checksums")
    assert Run.objects.count() == 20
