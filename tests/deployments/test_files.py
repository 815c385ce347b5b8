"""Copies of versions' files on a host that serves them."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path

import pytest

from apps.core.errors import Conflict, InvalidInput
from apps.deployments.files import VersionFiles, held_open, lock_of
from tests.personas import People
from tests.projects.builds.making import MODEL, make_model
from tests.registry.gates.test_files import put


def digest_of(files: dict[str, str]) -> str:
    """As builds note it."""
    digest = hashlib.sha256()
    for name, content in sorted(files.items()):
        digest.update(f"{name}\x00{len(content)}\x00{content}".encode())
    return digest.hexdigest()


@pytest.fixture
def here(tmp_path: Path) -> VersionFiles:
    return VersionFiles(tmp_path / "models")


def test_they_are_copied_once_and_only_read(people: People, here: VersionFiles) -> None:
    version, sha256 = make_model(people), digest_of(MODEL)
    with here.held(version, sha256) as folder:
        found = {str(file.relative_to(folder)): file.read_text() for file in folder.rglob("*") if file.is_file()}
        assert found == MODEL and folder.name == sha256
        assert not any(place.stat().st_mode & 0o222 for place in (folder, *folder.rglob("*")))
        stamp = (folder / "MLmodel").stat().st_mtime_ns
    # Also when the version is gone.
    with here.held(None, sha256) as folder:
        assert (folder / "MLmodel").stat().st_mtime_ns == stamp


def test_others_than_were_built_are_not_served(people: People, here: VersionFiles) -> None:
    version = make_model(people)
    put(people.ada, version, "code/doubling.py", "print('changed')")
    with pytest.raises(Conflict, match="deploy it again"), here.held(version, digest_of(MODEL)):
        pass
    assert not [place for place in here.root.iterdir() if place.is_dir()]


def test_without_a_version_or_a_build_there_are_none(people: People, here: VersionFiles) -> None:
    with pytest.raises(InvalidInput, match="deleted"), here.held(None, "a" * 64):
        pass
    for sha256 in ("", "../../etc", "a" * 63 + "/"):
        with pytest.raises(InvalidInput, match="not built"), here.held(make_model(people), sha256):
            pass


def test_what_is_used_is_not_cleaned(people: People, here: VersionFiles) -> None:
    sha256 = digest_of(MODEL)
    with here.held(make_model(people), sha256) as folder:
        assert here.clean(0) == 0
        held = held_open(folder)
        held.__enter__()
    assert here.clean(0) == 0 and folder.is_dir()
    held.__exit__(None, None, None)
    assert here.clean(10**9) == 0
    assert here.clean(0) == 1 and not folder.exists()


def test_a_copy_that_was_not_finished_is_made_anew(people: People, here: VersionFiles) -> None:
    sha256 = digest_of(MODEL)
    (here.root / sha256).mkdir(parents=True)
    (here.root / sha256 / "MLmodel").write_text("half")
    with here.held(make_model(people), sha256) as folder:
        assert (folder / "MLmodel").read_text() == MODEL["MLmodel"]
    assert lock_of(folder).exists()


def test_several_at_once_wait_for_one_copy(people: People, here: VersionFiles) -> None:
    version, sha256 = make_model(people), digest_of(MODEL)
    with here.held(version, sha256):
        pass
    found: list[Path] = []

    def hold() -> None:
        with here.held(None, sha256) as folder:
            found.append(folder)

    threads = [threading.Thread(target=hold) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
