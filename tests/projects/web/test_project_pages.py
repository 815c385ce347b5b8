from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from apps.audit.models import Event
from apps.projects.models import Archive, Project, Quota, RunState, SourceKind
from tests.personas import People, Persona
from tests.projects.archives import PROJECT, zipped
from tests.projects.making import end, make_project, make_run
from tests.registry.web.asking import HTMX

PAGE = "/projects/forge/iris/"


def text_of(persona: Persona, path: str, status: int = 200, headers: dict[str, str] | None = None) -> str:
    answer = persona.browser().get(path, headers=headers)
    assert answer.status_code == status, answer.content
    return str(answer.content.decode())


def upload(files: dict[str, str]) -> SimpleUploadedFile:
    return SimpleUploadedFile("iris.zip", zipped(files).read(), "application/zip")


def test_the_list_says_how_the_last_run_went_and_what_goes_on(people: People) -> None:
    project = make_project(people.ada)
    end(make_run(people.ada, project), RunState.FAILED)
    make_run(people.ada, project)
    page = text_of(people.vera, "/projects/")
    assert "iris" in page and "Queued" in page and "1 queued" in page
    assert "New project" not in page
    assert "New project" in text_of(people.ben, "/projects/")
    assert "No projects yet" in text_of(people.cleo, "/projects/")


def test_an_empty_list_teaches_the_three_ways(people: People) -> None:
    page = text_of(people.ben, "/projects/")
    for words in ("slipway run . -P alpha=0.5 --backend slipway", "mlflow run", "?from=git", "?from=archive"):
        assert words in page
    assert "?from=git" not in text_of(people.vera, "/projects/")


def test_search_and_sort(people: People) -> None:
    for name in ("iris", "wine"):
        make_project(people.ada, name)
    found = text_of(people.ada, "/projects/?q=win", headers=HTMX)
    assert ">wine</a>" in found and ">iris</a>" not in found and "<html" not in found
    assert "No project" in text_of(people.ada, "/projects/?q=none-of-it")
    for sort in ("name", "-name", "updated", "-last", "owner", "nonsense", "-"):
        assert text_of(people.ada, f"/projects/?sort={sort}").index("iris") > 0
    by_name = text_of(people.ada, "/projects/?sort=-name", headers=HTMX)
    assert by_name.index("wine") < by_name.index("iris")


@pytest.mark.parametrize("count", [1, 7])
def test_the_list_costs_the_same_for_many(
    people: People, django_assert_max_num_queries: DjangoAssertNumQueries, count: int
) -> None:
    for place in range(count):
        project = make_project(people.ada, f"p{place}")
        make_run(people.ada, project)
    browser = people.ada.browser()
    browser.get("/projects/")
    with django_assert_max_num_queries(13):
        browser.get("/projects/")


def test_a_project_shows_its_entry_points_and_canonical_form(people: People) -> None:
    make_project(people.ada)
    page = text_of(people.vera, PAGE)
    for words in ("python train.py {alpha}", "required", "0.5", "entry_points:", "Newest runs"):
        assert words in page
    assert "Start a run" not in page and "Delete" not in page
    mine = text_of(people.ada, PAGE)
    assert "Start a run" in mine and "Delete" in mine and "Share" in mine
    assert text_of(people.cleo, PAGE, 404)
    assert people.ada.browser().post(PAGE).status_code == 405


def test_reading_is_shown_until_it_is_done(people: People) -> None:
    project = make_project(people.ada, document=None, read_ms=None)
    page = text_of(people.ada, PAGE)
    assert "Reading…" in page and "panel=reading" in page
    Project.objects.filter(pk=project.pk).update(read_ms=1, read_error="MLproject, line 3: it is <b>.")
    answer = people.ada.browser().get(f"{PAGE}?panel=reading", headers=HTMX)
    assert answer["HX-Refresh"] == "true"
    again = text_of(people.ada, PAGE)
    assert "MLproject, line 3: it is &lt;b&gt;." in again and "panel=reading" not in again
    assert "can't be read" in text_of(people.ada, "/projects/")


def test_an_upload_is_read_at_once(people: People) -> None:
    sent = {
        "name": "",
        "description": "*steps*",
        "subfolder": "",
        "file": upload({"x/MLproject": PROJECT, "x/s.py": ""}),
    }
    answer = people.ben.browser().post("/projects/new/?from=archive", sent)
    assert answer["Location"] == "/projects/forge/steps/"
    project = Project.objects.get()
    assert project.read_error == "" and project.read_ms is not None and project.document is not None
    assert [entry["name"] for entry in project.document["entry_points"]] == ["main"]
    assert project.document["scripts"] == ["s.py"]
    assert (project.owner, Archive.objects.get().team) == (people.ben.user, people.forge)
    event = Event.objects.get(code="project.created")
    assert event.after is not None and event.after["archive"] == Archive.objects.get().digest
    assert "python step.py {c}" in text_of(people.ben, "/projects/forge/steps/")


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"readme.md": "x"}, "holds no file MLproject"),
        ({"MLproject": "name: x\nentry_points:\n  - path: a.py\n   name: a\n"}, "line 4"),
        ({"../MLproject": "name: x"}, "bad name"),
    ],
)
def test_an_upload_that_is_no_project_is_refused_in_the_form(people: People, files: dict[str, str], said: str) -> None:
    sent = {"name": "iris", "description": "", "subfolder": "", "file": upload(files)}
    answer = people.ben.browser().post("/projects/new/?from=archive", sent)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not Project.objects.exists() and not Archive.objects.exists()


def test_what_is_no_zip_is_refused(people: People) -> None:
    sent = {"name": "iris", "description": "", "subfolder": "", "file": SimpleUploadedFile("iris.zip", b"no zip")}
    answer = people.ben.browser().post("/projects/new/?from=archive", sent)
    assert answer.status_code == 422 and "it is no zip file" in answer.content.decode()


def test_an_upload_over_the_limit_is_refused_before_it_is_kept(people: People, settings: Any) -> None:
    settings.MAX_UPLOAD_BYTES = 1000
    big = SimpleUploadedFile("iris.zip", b"x" * 2000)
    sent = {"name": "iris", "description": "", "subfolder": "", "file": big}
    answer = people.ben.browser().post("/projects/new/?from=archive", sent)
    assert answer.status_code == 413 and "at most 1,000 bytes" in answer.content.decode()
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    client.force_login(people.ben.user, backend="allauth.account.auth_backends.AuthenticationBackend")
    token = client.get("/projects/new/").cookies["slipway_csrf"].value
    big.seek(0)
    # Looking for the token is what reads the form.
    sent = {"csrfmiddlewaretoken": token, **sent}
    assert client.post("/projects/new/?from=archive", sent).status_code == 413


def test_a_team_over_its_quota_keeps_none(people: People) -> None:
    Quota.objects.create(team=people.forge, archive_bytes=10)
    sent = {"name": "iris", "description": "", "subfolder": "", "file": upload({"MLproject": PROJECT})}
    answer = people.ben.browser().post("/projects/new/?from=archive", sent)
    assert answer.status_code == 422 and "over the quota of the team" in answer.content.decode()


def test_a_repository_is_left_to_a_worker(people: People) -> None:
    sent = {
        "name": "",
        "address": "https://1.1.1.1/team/wine.git#part/one",
        "version": "v2",
        "subfolder": "",
        "description": "",
    }
    answer = people.ben.browser().post("/projects/new/", sent)
    assert answer["Location"] == "/projects/forge/one/"
    project = Project.objects.get()
    assert (project.source_uri, project.subfolder) == ("https://1.1.1.1/team/wine.git", "part/one")
    assert (project.source_version, project.read_ms, project.document) == ("v2", None, None)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("--upload-pack=touch /tmp/x", "cloned"),
        ("ext::sh -c id", "cloned"),
        ("file:///etc", "cloned"),
        ("/etc", "cloned"),
        ("https://127.0.0.1/x.git", "not of the public internet"),
        ("http://169.254.169.254/latest", "not of the public internet"),
        ("git@10.0.0.7:x.git", "not of the public internet"),
        ("https://0x7f.1/x.git", "read"),
        ("https://user:secret@1.1.1.1/x.git", "name or password"),
        ("https://1.1.1.1/x.git#../..", "path"),
    ],
)
def test_addresses_that_are_refused(people: People, address: str, said: str) -> None:
    sent = {"name": "x", "address": address, "version": "", "subfolder": "", "description": ""}
    answer = people.ben.browser().post("/projects/new/", sent)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not Project.objects.exists()


def test_a_version_that_is_an_option_is_refused(people: People) -> None:
    sent = {
        "name": "x",
        "address": "https://1.1.1.1/x.git",
        "version": "--upload-pack=x",
        "subfolder": "",
        "description": "",
    }
    assert people.ben.browser().post("/projects/new/", sent).status_code == 422


@pytest.mark.parametrize("name", ["a/b", "..", "x" * 101, "\u202egnp", "iris"])
def test_names_that_are_refused(people: People, name: str) -> None:
    make_project(people.ada)
    sent = {"name": name, "address": "https://1.1.1.1/x.git", "version": "", "subfolder": "", "description": ""}
    assert people.ben.browser().post("/projects/new/", sent).status_code == 422
    assert Project.objects.count() == 1


def test_viewers_and_people_of_no_team_make_none(people: People) -> None:
    sent = {"name": "x", "address": "https://1.1.1.1/x.git", "version": "", "subfolder": "", "description": ""}
    answer = people.vera.browser().post("/projects/new/", sent)
    assert answer.status_code == 422 and "Permission denied" in answer.content.decode()


def test_folders_are_hidden_where_the_operator_lists_none(people: People) -> None:
    assert text_of(people.ben, "/projects/new/?from=folder", 404)
    assert text_of(people.ben, "/projects/new/?from=nonsense", 404)
    assert "Folder on the server" not in text_of(people.ben, "/projects/new/")


def test_a_folder_below_a_root_that_is_listed(people: People, tmp_path: Path, settings: Any) -> None:
    settings.PROJECT_FOLDERS = (tmp_path,)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "out").symlink_to("/etc")
    browser = people.ben.browser()
    assert str(tmp_path) in browser.get("/projects/new/?from=folder").content.decode()
    for folder in ("/etc", f"{tmp_path}/in/../../..", f"{tmp_path}/in/out", "in"):
        sent = {"name": "x", "folder": folder, "subfolder": "", "description": ""}
        answer = browser.post("/projects/new/?from=folder", sent)
        assert answer.status_code == 422, folder
    sent = {"name": "x", "folder": f"{tmp_path}/in", "subfolder": "", "description": ""}
    assert browser.post("/projects/new/?from=folder", sent)["Location"] == "/projects/forge/x/"
    assert Project.objects.get().source_kind == SourceKind.FOLDER
