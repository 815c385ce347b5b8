"""Backups that build on earlier ones, encrypted too."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.slipway.backup.installations import Installation, copy_of

pytestmark = pytest.mark.xdist_group("backup")


@pytest.fixture
def passphrase(tmp_path: Path) -> Path:
    file = tmp_path / "passphrase"
    file.write_text("correct horse battery staple\n")
    return file


def test_a_third_backup_builds_on_two(demo: Installation, passphrase: Path, tmp_path: Path) -> None:
    here = copy_of(demo, tmp_path / "here")
    root, names = here.home / "artifacts", sorted(here.files())
    locked = ("--passphrase-file", passphrase)
    first, second, third = (tmp_path / f"{number}.slipway" for number in (1, 2, 3))
    (root / names[0]).write_bytes(big := os.urandom(3_000_000))
    assert "The key of the data folder is in it." in here.slipway("backup", first, *locked)
    assert big[:1000] not in first.read_bytes()

    # Replaced as the store does it; touched without a change; removed; new.
    (root / "draft").write_bytes(b"replaced")
    (root / "draft").replace(root / names[1])
    os.utime(root / names[0])
    (root / names[2]).unlink()
    (root / names[3]).with_name("new.bin").write_bytes(b"\0" * 10)
    assert "2 files are new or changed" in here.slipway("backup", second, "--since", first, *locked)
    assert second.stat().st_size < first.stat().st_size - 2_000_000
    (root / names[4]).with_name("newer.bin").write_bytes(b"")
    here.slipway("backup", third, "--since", second, *locked)

    there = Installation(tmp_path / "there")
    away = tmp_path / "away"
    away.mkdir()
    moved = shutil.move(first, away / "moved.slipway")
    assert "builds on 1.slipway" in there.slipway("restore", third, *locked, code=2)
    there.slipway("restore", third, "--with", moved, *locked)
    assert there.files() == here.files()
    assert there.rows() == here.rows()


def test_another_passphrase(demo: Installation, passphrase: Path, tmp_path: Path) -> None:
    file, there = tmp_path / "all.slipway", Installation(tmp_path / "there")
    demo.slipway("backup", file, "--passphrase-file", passphrase)
    assert "--passphrase-file" in there.slipway("restore", file, code=2)
    passphrase.write_text("incorrect horse battery staple\n")
    assert "not the passphrase" in there.slipway("restore", file, "--passphrase-file", passphrase, code=2)
    passphrase.write_text("short\n")
    assert "at least 12" in there.slipway("restore", file, "--passphrase-file", passphrase, code=2)
    passphrase.write_text("correct horse battery staple\n")
    whole = bytearray(file.read_bytes())
    for spoilt in (whole[: len(whole) // 2], flipped(whole, len(whole) - 5)):
        file.write_bytes(spoilt)
        assert "damaged or cut off" in there.slipway("restore", file, "--passphrase-file", passphrase, code=1)
    assert not there.home.exists()


def flipped(whole: bytearray, at: int) -> bytes:
    """One bit is another."""
    return bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
