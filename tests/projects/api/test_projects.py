from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from apps.audit.models import Event
from apps.core.actor import Scope
from apps.core.addresses import Allowed
from apps.projects.models import Project, Queue
from slipway.paths import DataFolder
from tests.api import call, names
from tests.personas import People, token_for
from tests.projects.api.test_archives import send

pytestmark = pytest.mark.django_db
GIT = {"source_kind": "git", "source_uri": "https://203.0.113.9/team/steps.git#training"}


@pytest.fixture(autouse=True)
def _data(settings: Any, tmp_path: Path) -> None:
    settings.DATA = DataFolder(tmp_path)
    settings.DATA.make()
    settings.OUTGOING_ALLOW = Allowed.of(["203.0.113.0/24"])


def made(people: People, name: str = "steps", **more: Any) -> Any:
    archive = send(people.ada).json()["id"]
    body = {"name": name, "source_kind": "archive", "archive": int(archive), **more}
    return call(people.ada, "POST", "projects/", body, expect=201)


def test_one_of_an_archive_is_read_at_once(people: People) -> None:
    project = made(people, description="Steps.")
    assert (project["team"], project["owner"], project["source_kind"]) == ("forge", "ada", "archive")
    assert project["mlproject"].startswith("name: steps\nentry_points:\n  main:\n")
    main = project["entry_points"][0]
    assert (main["name"], main["parameters"]) == ("main", [{"name": "c", "type": "float", "default": "1.5"}])
    assert call(people.vera, "GET", f"projects/{project['id']}/") == project
    assert Event.objects.get(code="project.created").object_name == "steps"


def test_one_of_a_repository_is_read_later(people: People) -> None:
    project = call(people.ada, "POST", "projects/", {"name": "far", **GIT}, expect=201)
    assert (project["source_uri"], project["subfolder"]) == ("https://203.0.113.9/team/steps.git", "training")
    assert (project["mlproject"], project["entry_points"]) == (None, None)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "x"}, "source_kind"),
        ({"name": "", **GIT}, "name"),
        ({"name": "x", "source_kind": "git", "source_uri": "--upload-pack=touch /tmp/x"}, "can't be cloned"),
        ({"name": "x", "source_kind": "git", "source_uri": "ext::sh -c id"}, "can't be cloned"),
        ({"name": "x", "source_kind": "git", "source_uri": "file:///etc"}, "can't be cloned"),
        ({"name": "x", "source_kind": "folder", "source_uri": "/etc"}, "SLIPWAY_PROJECT_FOLDERS"),
        ({"name": "x", "source_kind": "archive"}, "archive"),
        ({"name": "x", **GIT, "limits": {"cpu": 1}}, "limits"),
        ({"name": "x", **GIT, "queue": "none"}, "queue"),
        ({"name": "x", **GIT, "env_vars": {"MLFLOW_RUN_ID": "1"}}, "MLFLOW_RUN_ID"),
    ],
)
def test_bad_input_makes_nothing(people: People, body: Any, field: str) -> None:
    answer = call(people.ada, "POST", "projects/", body, expect=400)
    assert field in answer["message"]
    assert not Project.objects.exists()


def test_a_name_is_taken_once_in_a_team(people: People) -> None:
    made(people)
    again = call(people.ben, "POST", "projects/", {"name": "steps", **GIT}, expect=400)
    assert again["error_code"] == "RESOURCE_ALREADY_EXISTS"
    call(people.cleo, "POST", "projects/", {"name": "steps", **GIT}, expect=201)


def test_the_archive_of_another_team_is_none(people: People) -> None:
    archive = send(people.cleo).json()["id"]
    body = {"name": "x", "source_kind": "archive", "archive": int(archive)}
    call(people.ada, "POST", "projects/", body, expect=404)


def test_changes(people: People) -> None:
    project = made(people)
    Queue.objects.create(name="gpu", created_ms=1)
    change = {"queue": "gpu", "limits": {"seconds": 60}, "env_vars": {"LEVEL": "3"}, "max_running": 2}
    changed = call(people.ben, "PATCH", f"projects/{project['id']}/", {"description": "New.", **change})
    assert {name: changed[name] for name in change} == change
    assert (changed["description"], changed["name"]) == ("New.", "steps")
    moved = call(people.ben, "PATCH", f"projects/{project['id']}/", GIT)
    assert (moved["source_kind"], moved["archive"], moved["mlproject"]) == ("git", None, None)
    call(people.ben, "PATCH", f"projects/{project['id']}/", {"source_uri": "https://x"}, expect=400)


def test_reading_again(people: People) -> None:
    project = made(people)
    Project.objects.update(document=None)
    assert call(people.ben, "POST", f"projects/{project['id']}/read/")["mlproject"] is not None


def test_who_may(people: People) -> None:
    path = f"projects/{made(people)['id']}/"
    for who, status in ((people.cleo, 404), (people.vera, 403)):
        call(who, "PATCH", path, {"description": "x"}, expect=status)
        call(who, "DELETE", path, expect=status)
        call(who, "POST", path + "read/", expect=status)
    call(people.ben, "DELETE", path, expect=403)
    call(people.vera, "POST", "projects/", {"name": "x", **GIT}, expect=403)
    call(people.ada, "PUT", path, expect=405)
    reads = token_for(people.ada.user, Scope.TRACKING)
    assert people.ada.__class__(people.ada.user, reads).request("GET", "/api/v1/" + path).status_code == 403
    call(people.ada, "DELETE", path, expect=204)
    call(people.ada, "GET", path, expect=404)


def test_lists(people: People, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    for name in ("alpha", "beta", "gamma"):
        call(people.ada, "POST", "projects/", {"name": name, **GIT}, expect=201)
    assert names(call(people.vera, "GET", "projects/"), "name") == ["gamma", "beta", "alpha"]
    assert names(call(people.vera, "GET", "projects/", {"text": "et"}), "name") == ["beta"]
    assert names(call(people.vera, "GET", "projects/", {"name": "bet"}), "name") == []
    assert names(call(people.cleo, "GET", "projects/"), "name") == []
    first = call(people.vera, "GET", "projects/", {"page_size": 2})
    rest = call(people.vera, "GET", "projects/", {"page_size": 2, "page_token": first["next_page_token"]})
    assert names(rest, "name") == ["alpha"]
    with django_assert_max_num_queries(4):
        call(people.vera, "GET", "projects/")
