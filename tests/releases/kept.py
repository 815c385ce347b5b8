"""The filled databases that are kept of each release, and the way to make those of a new one."""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.releases.facts import facts_of
from tests.servers import postgres_database, slipway_server
from tests.slipway.backup.installations import Installation, seeded

FOLDER = Path(__file__).parent / "kept"
# What they were made with; it opens nothing else.
KEY = "the-key-of-kept-databases-" + "k" * 24
VENDORS = ("sqlite", "postgresql")


@dataclass(frozen=True)
class Kept:
    """A backup of a release, and what people saw of it then."""

    release: str
    vendor: str

    def __str__(self) -> str:
        return f"{self.release}-{self.vendor}"

    @property
    def backup(self) -> Path:
        """By `slipway backup` of that release."""
        return FOLDER / f"{self}.slipway"

    @property
    def _facts(self) -> Path:
        return FOLDER / f"{self}.json.gz"

    def facts(self) -> dict[str, Any]:
        """As `facts_of` found them then."""
        found: dict[str, Any] = json.loads(gzip.decompress(self._facts.read_bytes()))
        return found

    def keep(self, facts: dict[str, Any]) -> None:
        """The same file for the same facts."""
        self._facts.write_bytes(gzip.compress(json.dumps(facts, sort_keys=True).encode(), mtime=0))


def all_kept() -> list[Kept]:
    """Of all releases, oldest first."""
    names = sorted(file.name.removesuffix(".slipway") for file in FOLDER.glob("*.slipway"))
    return [Kept(*name.rsplit("-", 1)) for name in names]


@contextmanager
def empty(vendor: str, home: Path) -> Iterator[Installation]:
    """An installation without a database yet."""
    settings = {"SLIPWAY_SECRET_KEY": KEY}
    if vendor == "sqlite":
        yield Installation(home, settings)
        return
    with postgres_database() as url:
        yield Installation(home, {**settings, "DATABASE_URL": url})


def seen(installation: Installation) -> dict[str, Any]:
    """What a server of this code answers on it."""
    settings = dict(installation.settings)
    database = settings.pop("DATABASE_URL", f"sqlite:///{installation.home}/slipway.db")
    with slipway_server(installation.home, database=database, **settings) as server:
        return facts_of(server.url, server.token)


def make(release: str) -> None:
    """Keep what this code makes, under the name of a release."""
    FOLDER.mkdir(exist_ok=True)
    for vendor in VENDORS:
        kept = Kept(release, vendor)
        with TemporaryDirectory() as place, empty(vendor, Path(place) / "home") as made:
            seeded(made.home, **made.settings)
            kept.keep(seen(made))
            kept.backup.unlink(missing_ok=True)
            made.slipway("audit", "verify")
            made.slipway("backup", kept.backup)
        sys.stdout.write(f"{kept.backup.name}: {kept.backup.stat().st_size} bytes\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser("python -m tests.releases.kept", description="Keep databases of a release.")
    parser.add_argument("release", help="its version, such as 0.1.0")
    make(parser.parse_args().release)
