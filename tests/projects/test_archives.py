"""What uploaded archives may be; `tests/projects/api/test_archives.py` sends them."""

from __future__ import annotations

import io
import stat
import struct
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from apps.core.errors import InvalidInput
from apps.projects.reading.archives import Limits, pack, unpack
from apps.projects.reading.inspecting import inspect
from tests.projects.archives import PROJECT, zipped

LIMITS = Limits(files=100, bytes=1_000_000)


def test_what_is_in_it() -> None:
    found = inspect(zipped({"MLproject": PROJECT, "data/a.csv": "1\n2\n"}), LIMITS)
    assert (found.files, found.bytes, found.project.name) == (2, len(PROJECT) + 4, "steps")
    assert list(found.project.entry_points) == ["main"]


def test_the_project_may_be_the_only_folder() -> None:
    assert inspect(zipped({"steps/mlproject": PROJECT, "steps/a/b.py": ""}), LIMITS).project.name == "steps"
    with pytest.raises(InvalidInput, match="holds no file MLproject"):
        inspect(zipped({"steps/MLproject": PROJECT, "b.py": ""}), LIMITS)


def test_an_error_of_the_file_names_its_line() -> None:
    with pytest.raises(InvalidInput, match=r"MLproject, line 2: 'entrypoints' is not known"):
        inspect(zipped({"MLproject": "name: x\nentrypoints: {}\n"}), LIMITS)


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a/../../x", "C:/x", "a\\..\\x", "..", "con\x01trol"])
def test_names_that_lead_elsewhere(name: str) -> None:
    with pytest.raises(InvalidInput, match="bad name"):
        inspect(zipped({"MLproject": PROJECT, name: "x"}), LIMITS)


@pytest.mark.parametrize("mode", [stat.S_IFLNK | 0o777, stat.S_IFIFO | 0o600, stat.S_IFCHR | 0o600])
def test_links_and_devices(mode: int) -> None:
    with pytest.raises(InvalidInput, match="link or a special file"):
        inspect(zipped({"MLproject": PROJECT, "x": "/etc/passwd"}, mode=mode), LIMITS)


@pytest.mark.parametrize(("first", "second"), [("a", "a"), ("a", "a/b"), ("a/b", "a")])
def test_a_name_stands_once(first: str, second: str) -> None:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as file:
        file.writestr(first, "1")
        if first == second:
            with pytest.warns(UserWarning):
                file.writestr(second, "2")
        else:
            file.writestr(second, "2")
    with pytest.raises(InvalidInput, match="twice"):
        inspect(made, LIMITS)


def test_bombs_are_stopped_by_what_they_say_and_by_what_comes_out(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="too large when it is unpacked"):
        inspect(zipped({"MLproject": PROJECT, "zeros": bytes(5_000_000)}), LIMITS)
    lying = zipped({"MLproject": PROJECT, "zeros": bytes(5_000_000)}).getvalue()
    lying = lying.replace(struct.pack("<L", 5_000_000), struct.pack("<L", 1_000))
    with pytest.raises(InvalidInput):
        inspect(io.BytesIO(lying), LIMITS)
    with pytest.raises(InvalidInput):
        unpack(io.BytesIO(lying), tmp_path, LIMITS)
    assert sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()) <= LIMITS.bytes


def test_a_million_members_are_refused_before_they_are_read() -> None:
    """The list of files alone would take half a gigabyte as objects."""
    many = million_members()
    tracemalloc.start()
    try:
        with pytest.raises(InvalidInput, match="too many files"):
            inspect(many, Limits(files=100))
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 20_000_000


def million_members() -> io.BytesIO:
    """A zip whose list names one file a million times: its end says so in the form for large archives."""
    count = 1_000_000
    entry = struct.pack("<4s6H3L5H2L", b"PK\x01\x02", 20, 20, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0) + b"a"
    directory = entry * count
    large = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, len(directory), 0)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, len(directory), 1)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    return io.BytesIO(directory + large + locator + end)


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_rare_compressions(method: int) -> None:
    with pytest.raises(InvalidInput, match="use deflate"):
        inspect(zipped({"MLproject": PROJECT}, method=method), LIMITS)


@pytest.mark.parametrize("broken", [b"", b"no zip", b"PK\x05\x06" + b"\xff" * 18, zipped({"a": "x"}).getvalue()[:-9]])
def test_what_is_no_archive(broken: bytes) -> None:
    with pytest.raises(InvalidInput, match=r"can't be read|too many files"):
        inspect(io.BytesIO(broken), LIMITS)


def test_what_is_packed_here_is_taken(tmp_path: Path) -> None:
    folder = tmp_path / "project"
    (folder / ".git").mkdir(parents=True)
    (folder / ".git" / "config").write_text("secret")
    (folder / "MLproject").write_text(PROJECT)
    (folder / "link").symlink_to("/etc/passwd")
    once, again = tmp_path / "once.zip", tmp_path / "again.zip"
    assert (pack(folder, once), pack(folder, again)) == (1, 1)
    assert once.read_bytes() == again.read_bytes()
    assert inspect(once, LIMITS).project.name == "steps"
