"""The files that an image is built from, and the key of their content."""

from __future__ import annotations

import hashlib
import io
import json
import platform
import tarfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from string import Template
from typing import IO, Any

import apps.deployments
from apps.core.errors import InvalidInput
from apps.runtime.environments import Needs

PORT = 8080
_SCORING = Path(apps.deployments.__path__[0]) / "scoring"
_HERE = Path(__file__).parent
_MLFLOW = _HERE.parent / "process" / "mlflow_server.py"
_DOCKERFILE = Template((_HERE / "Dockerfile.template").read_text())


@dataclass(frozen=True, slots=True)
class Image:
    """An image of one version. `sha256` is that of the version's files; `base` the image that it starts from.

    `config` is what the server is told where nobody tells it otherwise. All that is in an image is in its `key`.
    """

    base: str
    needs: Needs
    sha256: str
    title: str = "A model and its scoring server."
    config: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The same for the same content: 32 hex digits."""
        digest = hashlib.sha256(f"{self.base}\n{self.sha256}\n".encode())
        for name, content in sorted(self.files().items()):
            digest.update(f"{name}\n{len(content)}\n".encode() + content)
        return digest.hexdigest()[:32]

    def files(self) -> dict[str, bytes]:
        """What is beside the model, by path."""
        programs = {f"program/scoring/{file.name}": file.read_bytes() for file in sorted(_SCORING.glob("*.py"))}
        return {
            "Dockerfile": self._dockerfile().encode(),
            "build-requirements.txt": _lines(self.needs.build),
            "requirements.txt": _lines(self.needs.lines),
            "program/config.json": json.dumps({"model": "model", **self.config}, indent=2).encode() + b"\n",
            "program/serve.py": (_HERE / "serve.py").read_bytes(),
            "program/mlflow_server.py": _MLFLOW.read_bytes(),
            **programs,
        }

    def _dockerfile(self) -> str:
        return _DOCKERFILE.substitute(base=self.base, port=PORT, title=self.title)


def base_of(template: str, needs: Needs) -> str:
    """The image that a model's starts from: `{python}` stands for the version of Python that it needs.

    Raises `InvalidInput` for what is no image's name: it is written into a file of commands.
    """
    name = template.replace("{python}", python_of(needs))
    if not name or any(character.isspace() for character in name):
        raise InvalidInput(f"SLIPWAY_SERVING_IMAGE: '{name}' is no name of an image.")
    return name


def python_of(needs: Needs) -> str:
    """The version of Python that a model needs: the one that it names, else ours."""
    return needs.python or ".".join(platform.python_version_tuple()[:2])


def pack_into(file: IO[bytes], image: Image, model: Path) -> None:
    """Write all that an image is built from as a tar, and go back to its beginning."""
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, content in image.files().items():
            archive.addfile(_entry(name, len(content)), io.BytesIO(content))
        for path, place in files_below(model):
            with place.open("rb") as content_of:
                archive.addfile(_entry(f"model/{path}", place.stat().st_size), content_of)
    file.seek(0)


def files_below(folder: Path) -> Iterator[tuple[PurePosixPath, Path]]:
    """Plain files alone: nothing that leads elsewhere comes along."""
    for place in sorted(folder.rglob("*")):
        if place.is_file() and not place.is_symlink():
            yield PurePosixPath(place.relative_to(folder).as_posix()), place


def digest_of(folder: Path) -> str:
    """SHA-256 over the names and contents of a folder's files, for a model that nobody has built."""
    digest = hashlib.sha256()
    for path, place in files_below(folder):
        with place.open("rb") as content:
            digest.update(f"{path}\n".encode() + hashlib.file_digest(content, "sha256").digest())
    return digest.hexdigest()


def _entry(name: str, size: int) -> tarfile.TarInfo:
    """The root's, for all to read; with one time, so that the engine's cache sees what is the same."""
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.mtime = size, 0o644, 0
    return entry


def _lines(lines: Iterable[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()
