"""What comes before the command: sources, environments and their builders, and what is downloaded."""

from __future__ import annotations

import http.server
import io
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as site

from apps.core.addresses import Allowed
from apps.experiments.models import RunTag
from apps.projects.execution.runner import Runner
from apps.projects.models import RunState, SourceKind
from tests.projects.execution.conftest import Execute
from tests.projects.execution.running import Files, marked, project
from tests.waiting import until

pytestmark = pytest.mark.django_db

# Builds a wheel of one module that says what the builder saw.
_BUILDER = """
import glob, os, zipfile
{first}
def build_wheel(to, settings=None, metadata=None):
    processes = [open(f, 'rb').read() for f in glob.glob('/proc/[0-9]*/environ')]
    seen = {{
        'secrets': sorted(n for n in os.environ if n.startswith(('SLIPWAY', 'DATABASE', 'MLFLOW', 'REDIS'))),
        'server': os.path.exists({server!r}),
        'worker': any(b'PYTEST' in each for each in processes),
    }}
    name = 'seen-1.0-py3-none-any.whl'
    with zipfile.ZipFile(os.path.join(to, name), 'w') as file:
        file.writestr('seen.py', f'print({{seen!r}})')
        file.writestr('seen-1.0.dist-info/METADATA', 'Metadata-Version: 2.1\\nName: seen\\nVersion: 1.0\\n')
        file.writestr('seen-1.0.dist-info/WHEEL', 'Wheel-Version: 1.0\\nGenerator: x\\nTag: py3-none-any\\n')
        file.writestr('seen-1.0.dist-info/RECORD', '')
    return name
"""


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.fixture
def served(tmp_path: Path, settings: Any) -> Iterator[tuple[Path, str]]:
    """A folder, and where this host serves its files."""
    settings.OUTGOING_ALLOW = Allowed.of(["127.0.0.1"])
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(tmp_path))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield tmp_path, f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def package(into: Path, first: str = "") -> None:
    """A source package whose build is a program of its author's."""
    server = site.DATA.root / "a-file-of-the-server"
    server.write_text("nothing for builds")
    files = {
        "pyproject.toml": (
            '[build-system]\nrequires = []\nbuild-backend = "builder"\nbackend-path = ["."]\n'
            '[project]\nname = "seen"\nversion = "1.0"\n'
        ),
        "builder.py": _BUILDER.format(server=str(server), first=first),
    }
    with tarfile.open(into, "w:gz") as archive:
        for name, text in files.items():
            entry = tarfile.TarInfo(f"seen-1.0/{name}")
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))


def with_packages(command: str, *lines: str) -> Files:
    """A project with a `python_env`."""
    wanted = "".join(f"  - {line}\n" for line in lines)
    mlproject = f"python_env: env.yaml\nentry_points:\n  main:\n    command: '{command}'\n"
    return {"MLproject": mlproject, "env.yaml": f"dependencies:\n{wanted}"}


@pytest.mark.usefixtures("sandboxed")
def test_the_builds_of_packages_are_kept_apart(
    execute: Execute, served: tuple[Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLIPWAY_SECRET_KEY", "the key of the site")
    folder, address = served
    package(folder / "seen-1.0.tar.gz")
    done = execute(with_packages('python -c "import seen"', f"seen @ {address}/seen-1.0.tar.gz"))
    assert done.run.state == RunState.FINISHED, done.log
    assert done.lines[-1] == str({"secrets": [], "server": False, "worker": False})
    assert any("[slipway] " in line for line in done.lines[:-1])
    assert done.run.environment


@pytest.mark.usefixtures("level")
def test_a_cancel_ends_a_build(execute: Execute, served: tuple[Path, str], level: str) -> None:
    folder, address = served
    mark = f"1001.5{len(level)}"
    package(folder / "seen-1.0.tar.gz", f"import subprocess; subprocess.run(['sleep', '{mark}'])")

    def cancel(running: Runner) -> None:
        until(lambda: bool(marked(mark)))
        running.cancel()
        assert not marked(mark)

    done = execute(with_packages("true", f"seen @ {address}/seen-1.0.tar.gz#{level}"), meanwhile=cancel)
    assert done.run.state == RunState.CANCELLED


@pytest.mark.usefixtures("level")
def test_a_build_that_fails_fails_the_run_with_what_it_said(execute: Execute, served: tuple[Path, str]) -> None:
    folder, address = served
    package(folder / "seen-1.0.tar.gz", "raise SystemExit('no compiler here')")
    done = execute(with_packages("true", f"seen @ {address}/seen-1.0.tar.gz#broken"))
    assert done.run.state == RunState.FAILED
    assert done.run.message.startswith("The environment can't be built") and "no compiler here" in done.log


@pytest.mark.usefixtures("level")
def test_a_repository_is_cloned_and_its_commit_told(execute: Execute, served: tuple[Path, str]) -> None:
    folder, address = served
    commit = repository(folder, project("cat step.txt", **{"step.txt": "of the repository\n"}))
    source = {"source_kind": SourceKind.GIT, "source_uri": f"{address}/repo.git", "archive": None}
    done = execute({}, project=source)
    assert done.lines == ["of the repository"], done.log
    assert done.run.commit == commit
    tags = dict(RunTag.objects.filter(run=done.run.run).values_list("key", "value"))
    assert tags["mlflow.source.git.commit"] == commit
    assert tags["mlflow.source.git.repoURL"] == f"{address}/repo.git"


@pytest.mark.parametrize(
    "uri",
    ["--upload-pack=touch /tmp/x", "ext::sh -c id", "file:///etc", "http://169.254.169.254/x.git", "ssh://-oX=y/z"],
)
def test_what_is_no_public_repository_is_refused(execute: Execute, uri: str) -> None:
    done = execute({}, project={"source_kind": SourceKind.GIT, "source_uri": uri, "archive": None})
    assert done.run.state == RunState.FAILED and done.run.message


@pytest.mark.usefixtures("level")
def test_a_folder_of_the_server_is_copied(execute: Execute, settings: Any, tmp_path: Path) -> None:
    settings.PROJECT_FOLDERS = (tmp_path,)
    (tmp_path / "iris").mkdir()
    for name, text in project("echo changed > kept.txt; cat kept.txt", **{"kept.txt": "as it was"}).items():
        (tmp_path / "iris" / name).write_text(str(text))
    source = {"source_kind": SourceKind.FOLDER, "source_uri": str(tmp_path / "iris"), "archive": None}
    assert execute({}, project=source).lines == ["changed"]
    assert (tmp_path / "iris" / "kept.txt").read_text() == "as it was"


@pytest.mark.usefixtures("level")
def test_what_a_path_names_elsewhere_is_downloaded_by_the_run(execute: Execute, served: tuple[Path, str]) -> None:
    folder, address = served
    (folder / "iris.csv").write_text("5.1,3.5\n")
    files = {"MLproject": "entry_points:\n  main:\n    parameters: {data: path}\n    command: 'cat {data}'\n"}
    done = execute(files, params={"data": f"{address}/iris.csv"})
    assert done.lines == [f"[slipway] Downloading {address}/iris.csv", "5.1,3.5"]


def test_what_can_not_be_downloaded_is_refused(execute: Execute) -> None:
    files = {"MLproject": "entry_points:\n  main:\n    parameters: {data: path}\n    command: 'cat {data}'\n"}
    done = execute(files, params={"data": "file:///etc/passwd"})
    assert done.run.state == RunState.FAILED and "can't be downloaded" in done.run.message


@pytest.mark.parametrize("name", ["../../outside", "/tmp/outside"])
def test_a_hostile_archive_is_refused(execute: Execute, name: str) -> None:
    done = execute({**project("true"), name: "x"})
    assert done.run.state == RunState.FAILED and "bad name" in done.run.message
    assert not list(site.DATA.runs.glob("*-*-*"))


def test_conda_builds_where_it_is(
    execute: Execute, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.PROJECT_ISOLATION = "process"
    from apps.runtime.abilities import host

    host.cache_clear()
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    tool = tmp_path / "micromamba"
    tool.write_text(
        '#!/bin/bash\nset -e\necho "called with $1 $2"\ncat "${@: -1}"\necho\n'
        'mkdir -p "$4/bin"\nln -s "$(command -v python3)" "$4/bin/python"\n'
    )
    tool.chmod(0o755)
    files = {
        "MLproject": "conda_env: conda.yaml\nentry_points: {main: {command: 'python -c \"print(6)\"'}}\n",
        "conda.yaml": "channels: [conda-forge]\ndependencies: [python=3.11, libfoo>=2]\n",
    }
    try:
        done = execute(files)
    finally:
        host.cache_clear()
    assert done.lines[-1] == "6", done.log
    assert "[slipway] Building with micromamba." in done.lines
    assert '[slipway] {"channels": ["conda-forge"], "dependencies": ["python=3.11", "libfoo>=2"]}' in done.lines


def test_without_conda_its_packages_are_left_out_and_named(execute: Execute) -> None:
    files = {
        "MLproject": "conda_env: conda.yaml\nentry_points: {main: {command: 'echo ran'}}\n",
        "conda.yaml": "dependencies: [libfoo, {pip: []}]\n",
    }
    done = execute(files)
    assert done.lines == [
        "[slipway] Left out of conda.yaml, since neither conda nor micromamba is here: libfoo.",
        "ran",
    ]


def repository(folder: Path, files: Files) -> str:
    """A repository that plain HTTP serves, and its commit."""
    work = folder / "work"
    work.mkdir()
    for name, text in files.items():
        (work / name).write_text(str(text))

    def git(*arguments: str, at: Path = work) -> str:
        own = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=main")
        return subprocess.run(
            ["git", *own, *arguments], cwd=at, capture_output=True, check=True, text=True
        ).stdout.strip()

    git("init", "--quiet")
    git("add", ".")
    git("commit", "--quiet", "-m", "first")
    git("clone", "--quiet", "--bare", str(work), str(folder / "repo.git"), at=folder)
    git("update-server-info", at=folder / "repo.git")
    return git("rev-parse", "HEAD")
