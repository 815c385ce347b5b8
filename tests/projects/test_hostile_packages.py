"""What packages do while they are installed stays in their environment, and decides nothing outside of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from apps.core.errors import InvalidInput
from apps.runtime.environments import Cache, Needs
from apps.runtime.environments.building import Say
from apps.runtime.process.sandbox import interpreter_of

NEEDS = Needs(build=("first",), lines=("second",))


def hostile(deed: Callable[[Path], None]) -> Callable[[Sequence[str], Path, Say], None]:
    """An installer whose packages do something to the folder that they are installed into."""

    def install(_command: Sequence[str], folder: Path, _say: Say) -> None:
        deed(folder)

    return install


@pytest.mark.parametrize("name", [".ready", "requirements.in"])
@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_what_they_lay_where_the_worker_writes_is_not_written_to(tmp_path: Path, name: str, kind: str) -> None:
    server = tmp_path / "a-file-of-the-server"
    server.write_text("as it was")

    def lay(folder: Path) -> None:
        place = folder / name
        place.unlink(missing_ok=True)
        place.symlink_to(server) if kind == "link" else os.mkfifo(place)

    cache = Cache(tmp_path / "cache", install=hostile(lay))
    with cache.held(NEEDS, lambda _: None) as ready:
        assert ready.was_built
    assert server.read_text() == "as it was"
    with cache.held(NEEDS, lambda _: None) as ready:
        assert not ready.was_built
    assert cache.clean(0) == 1


def test_each_step_installs_its_own_lines(tmp_path: Path) -> None:
    read: list[str] = []

    def install(command: Sequence[str], folder: Path, _say: Say) -> None:
        read.append(Path(command[command.index("-r") + 1]).read_text())
        for place in folder.glob("requirements*"):
            place.unlink()

    with Cache(tmp_path / "cache", install=install).held(NEEDS, lambda _: None):
        assert read == ["first\n", "second\n"]


def _says_another_home(folder: Path) -> None:
    (folder / "pyvenv.cfg").write_text("home = /tmp/../bin\n")


def _links_another_settings(folder: Path) -> None:
    (folder / "pyvenv.cfg").unlink()
    (folder / "pyvenv.cfg").symlink_to("/etc/hostname")


def _leads_to_another_python(folder: Path) -> None:
    (folder / "bin" / "python").unlink()
    (folder / "bin" / "python").symlink_to(folder.parent.parent / "secrets" / "bin" / "python")


@pytest.mark.parametrize("deed", [_says_another_home, _links_another_settings, _leads_to_another_python])
def test_they_do_not_say_what_of_this_machine_runs_see(tmp_path: Path, deed: Callable[[Path], None]) -> None:
    cache = Cache(tmp_path / "cache", install=hostile(deed))
    for _ in range(2):
        with pytest.raises(InvalidInput, match="which Python"), cache.held(NEEDS, lambda _: None):
            raise AssertionError("it is used")


def test_one_that_failed_does_not_count_whatever_it_left(tmp_path: Path) -> None:
    def fail(_command: Sequence[str], folder: Path, _say: Say) -> None:
        (folder / ".ready").write_text("1")
        raise InvalidInput("no")

    cache = Cache(tmp_path / "cache", install=fail)
    for _ in range(2):
        with pytest.raises(InvalidInput, match="no"), cache.held(NEEDS, lambda _: None):
            raise AssertionError("it is used")


@pytest.mark.parametrize("home", ["/tmp/../bin", "/bin", "/proc/self/root/bin"])
def test_the_whole_machine_is_no_interpreters_folder(tmp_path: Path, home: str) -> None:
    (tmp_path / "pyvenv.cfg").write_text(f"home = {home}\n")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").symlink_to("/bin/python3")
    assert interpreter_of(tmp_path) == ()
