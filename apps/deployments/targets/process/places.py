"""Where an instance has its things on this host: a folder named by its number, made before anything is started."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from apps.core.errors import Unavailable

# A socket's path has to fit in 108 bytes.
_LONGEST_SOCKET_PATH = 100
_LONGEST_NUMBER = 20


@dataclass(frozen=True, slots=True)
class Place:
    """Of one instance, below `root`."""

    root: Path
    number: int

    @property
    def folder(self) -> Path:
        """The keeper's, which the instance never sees."""
        return self.root / str(self.number)

    @property
    def room(self) -> Path:
        """The instance's own, with `work` and `tmp`."""
        return self.folder / "room"

    @property
    def config(self) -> Path:
        """What the scoring server is told."""
        return self.folder / "config.json"

    @property
    def http(self) -> Path:
        """The socket that it answers on, where it has no port."""
        return self._socket("http")

    @property
    def control(self) -> Path:
        """The socket by which its keeper is told to end it."""
        return self._socket("control")

    @property
    def starting(self) -> Path:
        """What is locked while it is started."""
        return self.root / f"{self.number}.starting"

    @property
    def whose(self) -> Path:
        """Says whose instance it is."""
        return self.folder / "whose"

    def said_whose(self) -> str:
        """Empty where nothing was started."""
        try:
            return self.whose.read_text()
        except OSError:
            return ""

    def remove(self) -> None:
        """All of it, once nothing of it runs."""
        shutil.rmtree(self.folder, ignore_errors=True)
        for left in (self.starting, self.http, self.control):
            left.unlink(missing_ok=True)

    def make(self) -> None:
        """The folder, and where sockets need another one that too. Raises `Unavailable`."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.room.mkdir(mode=0o700, exist_ok=True)
        sockets = self.http.parent
        if sockets != self.folder:
            sockets.mkdir(mode=0o700, exist_ok=True)
            found = sockets.lstat()
            # It lies where others may make folders too.
            if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
                raise Unavailable(f"{sockets} has to be a folder of this user alone.")

    def _socket(self, name: str) -> Path:
        longest = self.root / ("9" * _LONGEST_NUMBER) / "control"
        if len(os.fsencode(longest)) <= _LONGEST_SOCKET_PATH:
            return self.folder / name
        runtime = os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()
        digest = hashlib.blake2b(os.fsencode(self.root.resolve()), digest_size=8).hexdigest()
        return Path(runtime) / f"slipway-serving-{os.getuid()}-{digest}" / f"{self.number}.{name}"


def places_below(root: Path) -> Iterator[Place]:
    """All that are there, whoever knows of them."""
    if root.is_dir():
        for folder in root.iterdir():
            if folder.name.isdigit() and len(folder.name) < _LONGEST_NUMBER and folder.is_dir():
                yield Place(root, int(folder.name))
