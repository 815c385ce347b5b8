from __future__ import annotations

import io
import stat
import zipfile
from pathlib import Path

import pytest

from apps.core.errors import InvalidInput
from apps.projects.reading.archives import Limits, pack, unpack
from apps.projects.reading.sources import check_git_address, fetch


def archive(*entries: tuple[str, bytes], mode: int = 0) -> io.BytesIO:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in entries:
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            file.writestr(info, content)
    made.seek(0)
    return made


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a/../../x", "C:/x", "a\\..\\x", "..", "a//b", "con\x01trol"])
def test_a_file_that_would_leave_the_folder(name: str, tmp_path: Path) -> None:
    into = tmp_path / "in"
    into.mkdir()
    with pytest.raises(InvalidInput, match="bad name"):
        unpack(archive((name, b"x")), into)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_links_and_devices_are_refused(tmp_path: Path) -> None:
    for mode in (stat.S_IFLNK | 0o777, stat.S_IFIFO | 0o600, stat.S_IFCHR | 0o600):
        with pytest.raises(InvalidInput, match="link or a special file"):
            unpack(archive(("x", b"/etc/passwd"), mode=mode), tmp_path)


def test_bombs_are_stopped_by_what_comes_out(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="too large"):
        unpack(archive(("zeros", bytes(5_000_000))), tmp_path, Limits(bytes=1_000_000))
    with pytest.raises(InvalidInput, match="more than 3 files"):
        unpack(archive(*((str(n), b"") for n in range(4))), tmp_path, Limits(files=3))


@pytest.mark.parametrize("broken", [b"", b"no zip", archive(("a", b"x" * 100)).getvalue()[:-30]])
def test_what_is_no_archive(broken: bytes, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="can't be read"):
        unpack(io.BytesIO(broken), tmp_path)


def test_a_file_comes_once(tmp_path: Path) -> None:
    with pytest.warns(UserWarning):
        twice = archive(("a", b"1"), ("a", b"2"))
    with pytest.raises(InvalidInput, match="twice"):
        unpack(twice, tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    with pytest.raises(InvalidInput, match="twice"):
        unpack(archive(("f", b"1"), ("f/under", b"2")), other)


def test_packing_and_unpacking_keeps_what_counts(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    (source / "sub" / ".git").mkdir(parents=True)
    (source / ".git").mkdir()
    target.mkdir()
    (source / ".git" / "config").write_text("secret")
    (source / "sub" / "run.sh").write_text("echo")
    (source / "sub" / "run.sh").chmod(0o755)
    (source / "MLproject").write_text("name: x")
    (source / "out").symlink_to("/etc/passwd")
    packed = tmp_path / "p.zip"
    assert pack(source, packed) == 2
    first = packed.read_bytes()
    pack(source, packed)
    assert packed.read_bytes() == first
    unpack(packed, target)
    assert sorted(str(path.relative_to(target)) for path in target.rglob("*") if path.is_file()) == [
        "MLproject",
        "sub/run.sh",
    ]
    assert (target / "sub" / "run.sh").stat().st_mode & 0o100
    with pytest.raises(InvalidInput, match="too large to send"):
        pack(source, packed, Limits(files=1))


@pytest.mark.parametrize(
    "address",
    [
        "--upload-pack=touch /tmp/x",
        "-oProxyCommand=id",
        "ext::sh -c id",
        "file:///etc",
        "/etc",
        "ssh://-oProxyCommand=id/x",
        "ssh://a@-oProxyCommand=id/x",
        "fd::17",
        "transport::address",
        "https\x00://x",
        "https://ho\nst/x",
        "https://host\\@127.0.0.1/x",
        "git@host:x\n",
        "ftp://host/x",
    ],
)
def test_addresses_that_are_programs_or_files(address: str) -> None:
    with pytest.raises(InvalidInput, match="can't be cloned"):
        check_git_address(address)


@pytest.mark.parametrize("address", ["https://host/a.git", "git@host:team/a.git", "ssh://git@host:22/a.git"])
def test_addresses_of_repositories(address: str) -> None:
    check_git_address(address)


def test_a_subfolder_stays_inside(tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "link").symlink_to("/etc")
    for bad in ("..", "../x", "link", "missing"):
        with pytest.raises(InvalidInput):
            fetch(f"{tmp_path}/project#{bad}", tmp_path / "into")
