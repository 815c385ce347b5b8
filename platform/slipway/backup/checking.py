"""Reading an archive to its end, and putting nothing anywhere."""

from __future__ import annotations

from collections.abc import Sequence

from slipway.backup.archive import Reader
from slipway.backup.manifest import Content
from slipway.backup.progress import Progress


def check(readers: Sequence[Reader], progress: Progress) -> None:
    """Compare all checksums. Raises `Damaged`."""
    manifest = readers[0].manifest
    contents = [*manifest.database.parts, *(file.content for store in manifest.stores for file in store.files)]
    for number, reader in enumerate(readers):
        here = sorted((content for content in contents if content.spot.archive == number), key=in_order)
        for _, pieces in reader.contents(here):
            for piece in pieces:
                progress.add(len(piece))


def in_order(content: Content) -> tuple[int, int]:
    """By where it lies in its archive."""
    return content.spot.frame, content.spot.at
