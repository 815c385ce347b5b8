"""A bundle: a zip archive that is made while it is sent, so that a model of any size takes no room here."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from apps.deployments.configuration import Config
from apps.deployments.targets.export.kinds import About, ExportKind, files_of, readme_of
from apps.deployments.targets.image import Image, python_of
from apps.runtime.environments import Needs

_MIB = 1024 * 1024
# So that the same version is the same archive.
_DATE = (1980, 1, 1, 0, 0, 0)
_UNFIT = re.compile(r"[^a-z0-9]+")
_LONGEST_SLUG = 32


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A file of the version: `path` below its folder, `size` in bytes, `read` gives its pieces."""

    path: str
    size: int
    read: Callable[[], Iterable[bytes]]


@dataclass(frozen=True, slots=True)
class Bundle:
    """What is sent. `base`: the image that it starts from."""

    kind: ExportKind
    model: str
    version: int
    config: Config
    needs: Needs
    base: str
    files: tuple[ModelFile, ...]

    @property
    def name(self) -> str:
        """Of the archive."""
        return f"{slug_of(self.model)}-{self.version}-{self.kind}.zip"

    def pieces(self) -> Iterator[bytes]:
        """The archive's bytes. All lies in one folder."""
        top = self.name.removesuffix(".zip")
        sink = _Sink()
        with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
            for path, content in sorted(self.small_files().items()):
                archive.writestr(_entry(f"{top}/{path}", len(content), zipfile.ZIP_DEFLATED), content)
                yield sink.taken()
            for file in self.files:
                # What models are kept in is seldom made smaller by packing.
                entry = _entry(f"{top}/model/{file.path}", file.size, zipfile.ZIP_STORED)
                with archive.open(entry, "w") as member:
                    for piece in file.read():
                        member.write(piece)
                        yield sink.taken()
        yield sink.taken()

    def small_files(self) -> dict[str, bytes]:
        """All but the model's."""
        title = f"{_one_line(self.model)} version {self.version}: its model, environment and scoring server."
        about = About(_one_line(self.model), self.version, slug_of(self.model), self.config, python_of(self.needs))
        image = Image(self.base, self.needs, "", title, self._told())
        readme = readme_of(self.kind, about, self._notes())
        texts = {**files_of(self.kind, about), "README.md": readme, ".dockerignore": "*.md\ncompose.yaml\n"}
        return {**image.files(), **{path: text.encode() for path, text in texts.items()}}

    def _told(self) -> dict[str, Any]:
        config = self.config
        return {
            "name": self.model,
            "version": str(self.version),
            "workers": config.workers,
            "timeout_s": config.timeout_s,
            "concurrency": config.concurrency,
            "max_body_bytes": config.max_body_mb * _MIB,
            "batching": {"enabled": None if config.batching else False},
            "server": str(config.server),
        }

    def _notes(self) -> list[str]:
        notes = list(self.needs.left_out)
        if self.needs.conda:
            notes.append("It names packages of conda, which this image does not have: add them to the Dockerfile.")
        if self.config.env_vars:
            names = ", ".join(f"`{name}`" for name in self.config.env_vars)
            notes.append(f"It is given these variables, whose values are not in here: {names}.")
        return notes


def slug_of(name: str) -> str:
    """Small letters, digits and dashes, beginning with a letter: what images, endpoints and services may be called."""
    slug = _UNFIT.sub("-", name.lower()).strip("-")[:_LONGEST_SLUG].strip("-") or "model"
    return slug if slug[0].isalpha() else f"m-{slug}"


def _one_line(text: str) -> str:
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())


def _entry(path: str, size: int, how: int) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(path, _DATE)
    entry.compress_type, entry.file_size, entry.external_attr = how, size, 0o644 << 16
    return entry


class _Sink(io.RawIOBase):
    """Takes what an archive writes, until somebody takes it away."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._pieces.append(bytes(data))
        return len(data)

    def taken(self) -> bytes:
        """What was written since."""
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)
