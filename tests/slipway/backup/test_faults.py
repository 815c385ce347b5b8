"""What goes wrong: one clear line, an exit code, and nothing half done."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from slipway.backup.archive import Reader, Writer
from slipway.backup.manifest import Content, Manifest
from slipway.backup.media import FileMedium, FileSink
from tests.slipway.backup.installations import Installation
from tests.slipway.backup.test_incremental import flipped

pytestmark = pytest.mark.xdist_group("backup")


@pytest.fixture
def there(tmp_path: Path) -> Installation:
    return Installation(tmp_path / "there")


def altered(archive: Path, file: Path, change: Callable[[Manifest], Manifest]) -> Path:
    """The same contents with another manifest."""
    reader, writer, new = Reader(FileMedium(archive), None), Writer(FileSink(file), None), {}
    for number, (content, pieces) in enumerate(reader.contents(in_order(reader.manifest))):
        new[content] = writer.add(f"{number}", content.size, pieces)
    known = reader.manifest
    stores = [
        replace(store, files=[replace(each, content=new[each.content]) for each in store.files])
        for store in known.stores
    ]
    database = replace(known.database, parts=[new[part] for part in known.database.parts])
    writer.close(change(replace(known, stores=stores, database=database)))
    return file


def in_order(manifest: Manifest) -> list[Content]:
    contents = [*manifest.database.parts, *(file.content for store in manifest.stores for file in store.files)]
    return sorted(contents, key=lambda content: (content.spot.frame, content.spot.at))


def test_archives_that_are_none(archive: Path, there: Installation, tmp_path: Path) -> None:
    whole, file = archive.read_bytes(), tmp_path / "spoilt.slipway"
    cases = {
        "is cut off": whole[: len(whole) // 2],
        "is no backup": b"PK\3\4" + whole[4:],
        "its head can't be read": whole[:8] + b"!" + whole[9:],
        "its end is not one of ours": flipped(bytearray(whole), len(whole) - 50),
        "is damaged": flipped(bytearray(whole), len(whole) - 500),
    }
    for said, content in cases.items():
        file.write_bytes(content)
        assert said in there.slipway("restore", file, code=2 if said == "is no backup" else 1)
    assert "can't be read" in there.slipway("restore", tmp_path / "nowhere", code=2)
    assert not there.home.exists()


def test_a_flipped_byte_is_found_and_all_is_taken_away_again(
    archive: Path, there: Installation, tmp_path: Path
) -> None:
    file = tmp_path / "spoilt.slipway"
    whole = bytearray(archive.read_bytes())
    reader = Reader(FileMedium(archive), None)
    last = max(part.spot.frame for part in in_order(reader.manifest))
    file.write_bytes(flipped(whole, last + 5000))
    assert "damaged" in there.slipway("restore", "--check", file, code=1)
    said = there.slipway("restore", file, code=1)
    assert "What this try had restored is removed again." in said
    assert there.files() == {}
    assert not [path for path in there.home.iterdir() if path.is_file()]


def test_targets_that_can_not_take_it(demo: Installation, archive: Path, there: Installation, tmp_path: Path) -> None:
    assert "The database is not empty" in demo.slipway("restore", archive, code=2)
    (there.home / "artifacts" / "0").mkdir(parents=True)
    (there.home / "artifacts" / "0" / "file").write_text("mine")
    assert "There are files in" in there.slipway("restore", archive, code=2)
    assert not (there.home / "secret_key").exists()
    assert there.files() == {"0/file": b"mine"}
    other = Installation(tmp_path / "other", {"SLIPWAY_SECRET_KEY": "another key " * 4})
    assert "another key than the backup" in other.slipway("restore", archive, code=2)


def of_tomorrow(manifest: Manifest) -> Manifest:
    names = [*manifest.database.migrations, "experiments.9999_of_tomorrow"]
    return replace(manifest, database=replace(manifest.database, migrations=names))


def reaching_out(manifest: Manifest) -> Manifest:
    (store,) = manifest.stores
    return replace(
        manifest, stores=[replace(store, files=[replace(store.files[0], path="../../out"), *store.files[1:]])]
    )


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        (lambda manifest: replace(manifest, version="99.0.0"), 2, "is newer than this"),
        (of_tomorrow, 2, "is newer than this"),
        (reaching_out, 1, "no Slipway wrote"),
    ],
)
def test_what_is_refused(
    archive: Path, there: Installation, tmp_path: Path, change: Callable[[Manifest], Manifest], code: int, said: str
) -> None:
    assert said in there.slipway("restore", altered(archive, tmp_path / "altered.slipway", change), code=code)
    assert there.files() == {}
    assert not (tmp_path / "out").exists()
    assert not (there.home / "restore-unfinished").exists()


def test_a_full_disk(demo: Installation, archive: Path, there: Installation, tmp_path: Path) -> None:
    file = tmp_path / "new.slipway"
    # In blocks of 512 bytes, or of 1024: the archive has some 700 KiB, and the database more.
    said = demo.slipway("backup", file, code=1, before="ulimit -f 300")
    assert "full" in said or "disk" in said or "too large" in said
    assert not list(tmp_path.glob("new*"))
    assert not list((demo.home / "uploads").iterdir())
    said = there.slipway("restore", archive, code=1, before="ulimit -f 300")
    assert "The database is not in place" in said
    assert "was not finished" in there.slipway("restore", archive, code=2)
    assert "was not finished" in there.slipway("migrate", code=2)
    assert "files were there already" in there.slipway("restore", archive, "--resume")
    assert there.files() == demo.files()
    assert there.rows() == demo.rows()
    # Killed between the database and the end: it is in place, and that is all.
    (there.home / "restore-unfinished").write_text(Reader(FileMedium(archive), None).head.id)
    assert "Restored" in there.slipway("restore", archive, "--resume")
    assert there.slipway("migrate", "-v", "0") == ""
