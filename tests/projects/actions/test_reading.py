"""Reading sources: a repository over HTTP, folders and archives; by the worker's task, as it is called."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from apps.core.addresses import Allowed
from apps.core.errors import AlreadyExists, InvalidInput
from apps.projects import actions, tasks
from apps.projects.actions.common import now_ms
from apps.projects.asking.changes import Source, git_source
from apps.projects.models import Project, SourceKind
from apps.runtime import following, tools
from tests.personas import People
from tests.projects.archives import PROJECT

BROKEN = "name: x\nentry_points:\n  main:\n    comand: python a.py\n"


def git(folder: Path, *arguments: str) -> str:
    """What Git says in a folder."""
    who = ("-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "init.defaultBranch=main")
    done = subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        """Nothing."""


@pytest.fixture
def repository(tmp_path: Path, settings: Any) -> Iterator[tuple[str, Path]]:
    """The address of a repository on this machine, which the operator opened, and its work tree."""
    settings.OUTGOING_ALLOW = Allowed.of(["127.0.0.1"])
    tree = tmp_path / "tree"
    tree.mkdir()
    git(tree, "init")
    (tree / "MLproject").write_text(PROJECT)
    (tree / "inner").mkdir()
    (tree / "inner" / "MLproject").write_text(PROJECT.replace("steps", "inner"))
    commit(tree)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/tree/.git", tree
    server.shutdown()
    thread.join()
    server.server_close()


def commit(tree: Path) -> str:
    """A commit of all there is, as a web server that knows nothing of Git can hand it out."""
    git(tree, "add", "-A")
    git(tree, "commit", "-m", "x", "--allow-empty")
    git(tree, "update-server-info")
    return git(tree, "rev-parse", "HEAD")


def made(people: People, address: str, version: str = "", subfolder: str = "") -> Project:
    """A project of a repository, read as the worker does."""
    source = git_source(address, version, subfolder)
    project = actions.create_project(people.ada.actor, name="iris", source=source)
    assert project.read_ms is None
    assert tasks.read(project.pk)
    project.refresh_from_db()
    return project


def test_a_repository_is_read_with_its_commit(people: People, repository: tuple[str, Path]) -> None:
    address, tree = repository
    project = made(people, address)
    assert project.read_error == "" and project.document is not None
    assert (project.document["name"], project.read_commit) == ("steps", git(tree, "rev-parse", "HEAD"))
    assert not tasks.read(project.pk), "it was read"


def test_a_branch_a_subfolder_and_what_is_not_there(people: People, repository: tuple[str, Path]) -> None:
    address, tree = repository
    git(tree, "checkout", "-b", "other")
    (tree / "inner" / "MLproject").write_text(PROJECT.replace("steps", "newer"))
    commit(tree)
    git(tree, "checkout", "main")
    project = made(people, address, "other", "inner")
    assert project.document is not None and project.document["name"] == "newer"
    for version, subfolder, said in (
        ("nowhere", "", "has no commit, branch or tag 'nowhere'"),
        ("", "nowhere", "has no folder 'nowhere'"),
    ):
        actions.change_source(people.ada.actor, project=project, source=git_source(address, version, subfolder))
        assert project.document is None
        tasks.read(project.pk)
        project.refresh_from_db()
        assert said in project.read_error


def test_an_error_names_file_and_line_and_what_was_read_stays(people: People, repository: tuple[str, Path]) -> None:
    address, tree = repository
    project = made(people, address)
    (tree / "MLproject").write_text(BROKEN)
    commit(tree)
    actions.ask_reading(people.ada.actor, project=project)
    tasks.read(project.pk)
    project.refresh_from_db()
    assert "MLproject, line 4" in project.read_error and "comand" in project.read_error
    assert project.document is not None and project.document["name"] == "steps"


def test_it_is_bounded_as_a_run_is(
    people: People, repository: tuple[str, Path], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Anybody may name a repository of any size, and whoever reads it shares a disk with all others."""
    settings.PROJECT_DISK_MB = 1

    class Full(following.Follower):
        """Finds the disk full when it looks, which it does at once."""

        def follow(self) -> int:
            monkeypatch.setattr(following, "bytes_below", lambda room, enough: enough + room.is_dir())
            self._next_look = 0
            self._look()
            return super().follow()

    monkeypatch.setattr(tools, "Follower", Full)
    project = made(people, repository[0])
    assert project.document is None
    assert project.read_error == "git was ended: The limit of 1 MB of disk was reached."


def test_a_redirect_is_not_followed(people: People, repository: tuple[str, Path]) -> None:
    address, _ = repository

    class Redirects(Quiet):
        def do_GET(self) -> None:
            self.send_response(302)
            self.send_header("Location", address.replace("/tree/.git", "") + self.path)
            self.end_headers()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Redirects)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    project = made(people, f"http://127.0.0.1:{server.server_port}/tree/.git")
    server.shutdown()
    thread.join()
    server.server_close()
    assert project.document is None and project.read_error.startswith("Git refused")


def test_what_the_operator_closes_after_is_not_asked(
    people: People, repository: tuple[str, Path], settings: Any
) -> None:
    address, _ = repository
    project = actions.create_project(people.ada.actor, name="iris", source=git_source(address))
    settings.OUTGOING_ALLOW = Allowed()
    tasks.read(project.pk)
    project.refresh_from_db()
    assert "not of the public internet" in project.read_error


def test_a_source_that_changes_meanwhile_is_not_told_of_the_other(people: People, repository: tuple[str, Path]) -> None:
    address, _ = repository
    project = actions.create_project(people.ada.actor, name="iris", source=git_source(address))
    Project.objects.filter(pk=project.pk).update(subfolder="inner")
    actions.read_project(people.ada.actor, project=project)
    fresh = Project.objects.get(pk=project.pk)
    assert (fresh.read_ms, fresh.document) == (None, None)


def test_a_folder_of_the_server(people: People, tmp_path: Path, settings: Any) -> None:
    settings.PROJECT_FOLDERS = (tmp_path,)
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "MLproject").write_text(PROJECT)
    source = Source(SourceKind.FOLDER, str(tmp_path / "x"))
    project = actions.create_project(people.ada.actor, name="iris", source=source)
    assert tasks.read(project.pk)
    project.refresh_from_db()
    assert project.document is not None and project.read_error == ""
    settings.PROJECT_FOLDERS = ()
    actions.ask_reading(people.ada.actor, project=project)
    tasks.read(project.pk)
    project.refresh_from_db()
    assert "SLIPWAY_PROJECT_FOLDERS lists none" in project.read_error


def test_the_sweep_hurries_what_nobody_reads(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    project = actions.create_project(people.ada.actor, name="iris", source=git_source("https://1.1.1.1/x.git"))
    hurried: list[int] = []
    monkeypatch.setattr(tasks, "hurry_reading", hurried.append)
    assert tasks.read_waiting() == 1
    assert hurried == [project.pk]
    Project.objects.update(read_ms=now_ms())
    assert tasks.read_waiting() == 0


def test_names_are_unique_in_a_team_alone(people: People) -> None:
    source = git_source("https://1.1.1.1/x.git")
    actions.create_project(people.ada.actor, name="iris", source=source)
    with pytest.raises(AlreadyExists):
        actions.create_project(people.ben.actor, name="iris", source=source)
    actions.create_project(people.cleo.actor, name="iris", source=source)
    with pytest.raises(InvalidInput):
        actions.create_project(people.cleo.actor, name="x", source=Source(SourceKind.ARCHIVE))
