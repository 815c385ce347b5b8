from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from apps.core.actor import Scope, system_actor
from apps.projects import actions
from apps.projects.actions.common import now_ms
from apps.projects.models import Archive, ProjectRun, Quota
from slipway.paths import DataFolder
from tests.personas import People, Persona, token_for
from tests.projects.archives import PROJECT, zipped

pytestmark = pytest.mark.django_db
URL = "/api/v1/project-archives/"
GOOD = zipped({"MLproject": PROJECT, "step.py": "print(1)"}).getvalue()


@pytest.fixture(autouse=True)
def data(settings: Any, tmp_path: Path) -> Path:
    """A data folder of the test's own."""
    settings.DATA = DataFolder(tmp_path)
    settings.DATA.make()
    return tmp_path


def send(who: Persona, body: bytes = GOOD, *, kind: str = "application/zip", token: str = "", name: str = "") -> Any:
    headers: dict[str, Any] = {"HTTP_AUTHORIZATION": f"Bearer {token or who.token}"}
    return Client().generic("POST", f"{URL}?name={name}" if name else URL, body, content_type=kind, **headers)


def files_in(folder: Path) -> list[Path]:
    """What lies in the store and on its way there."""
    return [path for name in ("artifacts", "uploads") for path in (folder / name).rglob("*") if path.is_file()]


def test_an_archive_is_kept_once(people: People, data: Path) -> None:
    first, second = send(people.ada), send(people.ben)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["id"] == second.json()["id"]
    archive = Archive.objects.get()
    assert (archive.name, archive.files, archive.bytes, archive.team) == ("steps", 2, len(GOOD), people.forge)
    assert [path.read_bytes() for path in files_in(data)] == [GOOD]
    assert b"".join(actions.open_archive(archive)) == GOOD


def test_other_teams_have_their_own(people: People) -> None:
    assert send(people.ada).json()["id"] != send(people.cleo).json()["id"]


def test_who_may_send_one(people: People, data: Path) -> None:
    assert send(people.vera).status_code == 403
    assert send(people.ada, token=token_for(people.ada.user, Scope.READ)).status_code == 403
    assert send(people.ada, token="slw_wrong").status_code == 401
    assert files_in(data) == []
    assert send(people.ada, token=token_for(people.ada.user, Scope.PROJECTS)).status_code == 201


def test_other_verbs_and_types(people: People) -> None:
    assert people.ada.request("PUT", URL).status_code == 405
    assert send(people.ada, kind="multipart/form-data; boundary=x").status_code == 415


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"a.py": "1"}, "holds no file MLproject"),
        ({"MLproject": "entry_points:\n  main: {parameters: {}}\n"}, "MLproject, line 2"),
        ({"MLproject": PROJECT, "../x": "1"}, "bad name"),
    ],
)
def test_nothing_is_left_of_what_is_refused(people: People, data: Path, files: dict[str, str], said: str) -> None:
    answer = send(people.ada, zipped(files).getvalue())
    assert answer.status_code == 400
    assert said in answer.json()["message"]
    assert files_in(data) == []
    assert not Archive.objects.exists()


def test_one_over_the_limit_is_refused_before_it_is_read(people: People, data: Path, settings: Any) -> None:
    settings.PROJECT_ARCHIVE_BYTES = len(GOOD) - 1
    answer = send(people.ada)
    assert (answer.status_code, files_in(data)) == (413, [])
    assert "at most" in answer.json()["message"]


class Announced:
    """A body of which nobody takes a byte."""

    def read(self, size: int = -1, /) -> bytes:
        raise AssertionError("it was read")


def test_the_teams_quota(people: People, data: Path) -> None:
    Quota.objects.create(team=people.forge, archive_bytes=len(GOOD) + 10)
    assert send(people.ada).status_code == 201
    more = zipped({"MLproject": PROJECT, "other.py": "2"}).getvalue()
    answer = send(people.ada, more)
    assert answer.status_code == 413
    assert "quota of the team, which has 10 bytes left" in answer.json()["message"]
    # The same content takes no more room, so it could be sent again; 2 GB more is not even read.
    with pytest.raises(Exception, match="quota"):
        actions.keep_archive(people.ada.actor, source=Announced(), length=2 * 1024**3)
    assert len(files_in(data)) == 1


def test_the_limit_holds_for_what_announces_nothing(people: People, data: Path, settings: Any) -> None:
    settings.PROJECT_ARCHIVE_BYTES = 1000
    source = zipped({"MLproject": PROJECT, "big": Random(1).randbytes(5000)})
    with pytest.raises(Exception, match="too large"):
        actions.keep_archive(people.ada.actor, source=source, length=None)
    assert files_in(data) == []


def test_what_nobody_needs_goes_after_some_days(people: People, data: Path) -> None:
    send(people.ada)
    assert actions.prune_archives(system_actor()) == 0
    age(Archive.objects.get())
    assert actions.prune_archives(system_actor()) == 1
    assert (files_in(data), Archive.objects.count()) == ([], 0)
    assert send(people.ada).status_code == 201


def test_what_a_project_or_a_run_needs_stays(people: People) -> None:
    send(people.ada)
    archive = Archive.objects.get()
    run = ProjectRun.objects.create(
        team=people.forge, project_name="x", owner_name="ada", entry_point="main", queue="default", queued_ms=1
    )
    ProjectRun.objects.filter(pk=run.pk).update(archive=archive)
    age(archive)
    assert actions.prune_archives(system_actor()) == 0
    ProjectRun.objects.filter(pk=run.pk).update(state="finished", ended_ms=now_ms())
    assert actions.prune_archives(system_actor()) == 0
    ProjectRun.objects.filter(pk=run.pk).update(ended_ms=1)
    assert actions.prune_archives(system_actor()) == 1
    run.refresh_from_db()
    assert run.archive_id is None


def test_sending_it_again_makes_it_young(people: People) -> None:
    send(people.ada)
    age(Archive.objects.get())
    send(people.ada)
    assert actions.prune_archives(system_actor()) == 0


def age(archive: Archive) -> None:
    days = (settings.PROJECT_ARCHIVE_DAYS + 1) * 24 * 3600 * 1000
    Archive.objects.filter(pk=archive.pk).update(created_ms=now_ms() - days)


def test_statements(people: People, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_max_num_queries(16):
        assert send(people.ada).status_code == 201
