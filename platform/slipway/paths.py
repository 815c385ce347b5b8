"""Where things lie: the assets that travel with the code, and the data folder."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

from slipway import env

_PACKAGE = Path(__file__).resolve().parent

# A wheel carries templates/ and static/ beside this file; in a checkout they are two levels up.
ASSETS = _PACKAGE / "_assets" if (_PACKAGE / "_assets").is_dir() else _PACKAGE.parents[1]


# A socket's path has to fit in 104 bytes (macOS) or 108 (Linux).
_LONGEST_SOCKET_PATH = 100


class DataFolder:
    """The data folder and its parts. Copy it to move an embedded installation."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def of_environment(cls) -> DataFolder:
        """The folder that `SLIPWAY_HOME` names, else the default."""
        named = env.text("SLIPWAY_HOME")
        return cls(Path(named).expanduser().absolute() if named else cls.default_root())

    @staticmethod
    def default_root() -> Path:
        """`~/.slipway`."""
        return Path("~/.slipway").expanduser().absolute()

    @property
    def database(self) -> Path:
        """The embedded SQLite file."""
        return self.root / "slipway.db"

    @property
    def artifacts(self) -> Path:
        """Files that scripts log, as plain files."""
        return self.root / "artifacts"

    @property
    def environments(self) -> Path:
        """Python environments of projects, by content."""
        return self.root / "environments"

    @property
    def runs(self) -> Path:
        """Folders of the project runs that go on here."""
        return self.root / "project-runs"

    @property
    def serving(self) -> Path:
        """What the supervisor of this machine keeps: folders of instances, and files of versions."""
        return self.root / "serving"

    @property
    def uploads(self) -> Path:
        """Files on their way in; on the same file system as `artifacts`, so that a rename finishes them."""
        return self.root / "uploads"

    @property
    def secret_key(self) -> Path:
        """The key made at the first start, where no `SLIPWAY_SECRET_KEY` is set."""
        return self.root / "secret_key"

    @property
    def unfinished_restore(self) -> Path:
        """There while a restore is under way, or after one that did not come to its end."""
        return self.root / "restore-unfinished"

    @property
    def run(self) -> Path:
        """Sockets and process ids of what runs now."""
        return self.root / "run"

    @property
    def socket(self) -> Path:
        """The embedded Valkey's: in `run`, or where that path is too long for a socket, in a private runtime folder."""
        here = self.run / "valkey.sock"
        if len(os.fsencode(here)) <= _LONGEST_SOCKET_PATH:
            return here
        name = hashlib.blake2b(os.fsencode(self.root.resolve()), digest_size=8).hexdigest()
        runtime = os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()
        return Path(runtime) / f"slipway-{os.getuid()}-{name}" / "valkey.sock"

    def make(self) -> None:
        """Create what is missing, readable by the owner alone."""
        for folder in (self.root, self.artifacts, self.uploads, self.run):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
