"""An installation of each earlier release becomes one of this code, with all that was in it."""

from __future__ import annotations

import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.kills.rounds import rows
from tests.releases.facts import lost
from tests.releases.kept import VENDORS, Kept, all_kept, empty, seen
from tests.servers import postgres_is_there
from tests.slipway.backup.installations import SLIPWAY, Installation

pytestmark = pytest.mark.xdist_group("releases")


@pytest.fixture(params=all_kept(), ids=str)
def kept(request: pytest.FixtureRequest) -> Kept:
    found: Kept = request.param
    if found.vendor == "postgresql":
        if not postgres_is_there():
            pytest.skip("PostgreSQL does not answer at SLIPWAY_TEST_POSTGRES")
        if shutil.which("pg_restore") is None:
            pytest.skip("PostgreSQL's client programs are not installed")
    return found


def test_all_of_it_is_there_after_an_upgrade(kept: Kept, tmp_path: Path) -> None:
    with empty(kept.vendor, tmp_path / "home") as there:
        said = there.slipway("restore", kept.backup)
        assert "All checksums are right." in said
        there.slipway("migrate", "-v", "0")
        assert "sealed events are as recorded" in there.slipway("audit", "verify")
        assert list(lost(kept.facts(), seen(there))) == []


def test_one_that_is_killed_on_the_way_is_done_by_the_next(kept: Kept, tmp_path: Path) -> None:
    with empty(kept.vendor, tmp_path / "home") as there:
        there.slipway("restore", kept.backup)
        if there.slipway("migrate", "--preflight") == "Nothing has to be done.":
            pytest.skip(f"{kept} has all tables of this code already")
        for _ in range(2):
            _killed_when_one_more_is_done(there)
        there.slipway("migrate", "-v", "0")
        assert there.slipway("migrate", "--preflight") == "Nothing has to be done."
        assert "sealed events are as recorded" in there.slipway("audit", "verify")


def test_there_is_one_of_each_database() -> None:
    releases = {kept.release for kept in all_kept()}
    assert "0.1.0" in releases
    assert all_kept() == [Kept(release, vendor) for release in sorted(releases) for vendor in sorted(VENDORS)]


def _killed_when_one_more_is_done(there: Installation) -> None:
    """As soon as the database has one more than before, or when it is through."""
    before = _done(there)
    process = subprocess.Popen([SLIPWAY, "migrate", "-v", "0"], env=there.env, stdout=subprocess.DEVNULL)
    while process.poll() is None and _done(there) == before:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()


def _done(there: Installation) -> int:
    """How many migrations the database says were done."""
    url = there.settings.get("DATABASE_URL", f"sqlite:///{there.home}/slipway.db")
    ((count,),) = rows(url, "SELECT count(*) FROM django_migrations")
    return int(count)
