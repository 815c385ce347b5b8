"""Files that `path` parameters name elsewhere. The run's own child downloads them, with what it may reach and read."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from apps.core.errors import InvalidInput

_SCRIPT = Path(__file__).with_name("downloading.py")
_SCHEMES = ("http", "https", "runs", "models", "mlflow-artifacts")
_MOST = 100


@dataclass(slots=True)
class Downloads:
    """What is to be downloaded before the command begins, below `folder`. `seen`: where the command sees a file."""

    folder: Path
    seen: Callable[[Path], Path]
    _wanted: list[tuple[str, str]] = field(default_factory=list)

    def fetch(self, uri: str) -> Path:
        """Where the file or folder will be for the command. Raises `InvalidInput` for what can't be downloaded."""
        scheme = urlsplit(uri).scheme
        if scheme not in _SCHEMES or len(self._wanted) >= _MOST:
            raise InvalidInput(f"'{uri[:200]}' can't be downloaded; these can: {', '.join(_SCHEMES)}.")
        name = unquote(urlsplit(uri).path).rstrip("/").rpartition("/")[2]
        if not name or name.startswith(".") or "\x00" in name:
            name = "input"
        place = self.folder / str(len(self._wanted) + 1) / name[:200]
        self._wanted.append((uri, str(self.seen(place))))
        return self.seen(place)

    def before(self, command: str) -> str:
        """The command, after the downloads."""
        if not self._wanted:
            return command
        self.folder.mkdir(exist_ok=True)
        script = self.folder / "download.py"
        script.write_bytes(_SCRIPT.read_bytes())
        words = [str(self.seen(script)), *(part for pair in self._wanted for part in pair)]
        return f"python -I {shlex.join(words)} || exit $?\n{command}"
