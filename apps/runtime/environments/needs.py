"""What an environment needs, read from `python_env.yaml`, `conda.yaml` or requirements, in one shape with one hash."""

from __future__ import annotations

import hashlib
import json
import platform
import re
import shutil
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from apps.core.errors import InvalidInput
from apps.core.paths import ArtifactPath
from apps.runtime.documents import Value, parse_document
from apps.runtime.environments.kinds import Environment, EnvironmentKind

MAX_LINES = 2_000
_MAX_FILES = 20
_PYTHON = re.compile(r"\d+(?:\.\d+){0,2}")
_INCLUDES = re.compile(r"(?:-r|--requirement|-c|--constraint)(?:\s+|=)(?P<file>\S+)")
_CONDA_NAME = re.compile(r"[A-Za-z0-9][\w.-]*")
# By name: where those lie is this machine's to say.
_CHANNEL = re.compile(r"[A-Za-z0-9][\w./-]*")
_ELSEWHERE = re.compile(r"[\[\]/\\\n]")
# Options that name where packages come from are the operator's, not a project's.
_REFUSED = re.compile(r"(?:-i|--index-url|--extra-index-url|-f|--find-links|--trusted-host|-e|--editable)\b")


@dataclass(frozen=True, slots=True)
class Needs:
    """Lines of requirements in order, with the included files' in place. `python` is a version or empty: ours.

    `left_out` says in sentences what of the file this can't give.
    """

    python: str = ""
    build: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    left_out: tuple[str, ...] = field(default=(), compare=False)
    # A conda.yaml of conda's own packages, where something here can build it.
    conda: str = ""

    @property
    def key(self) -> str:
        """The same for the same content on the same kind of machine: 32 hex digits."""
        here = (
            platform.system(),
            platform.machine(),
            self.python or platform.python_version(),
            sys.implementation.name,
        )
        wanted = (*here, *self.build, "", *self.lines, *((self.conda,) if self.conda else ()))
        return hashlib.sha256("\n".join(wanted).encode()).hexdigest()[:32]


def needs_of(environment: Environment, folder: Path) -> Needs:
    """What a project's environment needs. Raises `InvalidInput` with file and line."""
    match environment.kind:
        case EnvironmentKind.PYTHON:
            return _python_env(folder, environment.file)
        case EnvironmentKind.CONDA:
            return _conda_env(folder, environment.file)
        case _:
            return Needs()


def needs_of_requirements(lines: Iterable[str], python: str = "") -> Needs:
    """What a model names: plain lines of requirements. Nothing is included from other files."""
    return Needs(python=_checked_version(python), lines=tuple(_plain_lines(list(lines), "requirements")))


def _python_env(folder: Path, file: str) -> Needs:
    document = _document(folder, file)
    fields = document.only(file, "python", "build_dependencies", "dependencies")
    python = fields["python"].as_text("python") if "python" in fields else ""
    return Needs(
        python=_checked_version(python, document),
        build=tuple(_expanded(_texts(fields.get("build_dependencies")), folder, file)),
        lines=tuple(_expanded(_texts(fields.get("dependencies")), folder, file)),
    )


def _conda_env(folder: Path, file: str) -> Needs:
    """All of it where conda or micromamba is here; else the pip part and Python's version, and what is left out."""
    document = _document(folder, file)
    fields = document.as_mapping(file)
    python, lines, packages = "", [], []
    for item in fields["dependencies"].as_list("dependencies") if "dependencies" in fields else ():
        if item.pairs is not None:
            lines += _texts(item.as_mapping("a dependency").get("pip"))
            continue
        name, version = _conda_package(item)
        if name == "python":
            python = version
        elif name != "pip":
            packages.append(item.as_text("A dependency").strip())
    wanted = tuple(_expanded(lines, folder, file))
    version = _checked_version(python, document)
    if conda_here():
        return Needs(version, (), wanted, conda=_conda_file(fields.get("channels"), python, packages))
    said = f"Left out of {file}, since neither conda nor micromamba is here: {', '.join(packages)}."
    return Needs(version, (), wanted, (said,) if packages else ())


def conda_here() -> str | None:
    """The program that builds conda's environments, where one is on PATH."""
    return shutil.which("micromamba") or shutil.which("conda")


def _conda_file(channels: Value | None, python: str, packages: list[str]) -> str:
    """As JSON, which is YAML too: names and versions alone, and no pip part."""
    found = [_channel(item) for item in channels.as_list("channels")] if channels else []
    wanted = [f"python={python}" if python else "python", *packages]
    return json.dumps({"channels": found or ["conda-forge"], "dependencies": wanted})


def _channel(item: Value) -> str:
    name = item.as_text("A channel").strip()
    if not _CHANNEL.fullmatch(name):
        item.place.refuse(f"'{name[:100]}' is no channel; name one, such as conda-forge.")
    return name


def _conda_package(item: Value) -> tuple[str, str]:
    written = item.as_text("A dependency").strip()
    channel, separator, wanted = written.rpartition("::")
    name = _CONDA_NAME.match(wanted)
    # An address, a file, or `name[channel=…]` would say where packages come from.
    if name is None or _ELSEWHERE.search(wanted) or (separator and not _CHANNEL.fullmatch(channel)):
        item.place.refuse(f"'{written[:100]}' is no package.")
    version = _PYTHON.search(wanted[name.end() :])
    return name[0].lower(), version[0] if version else ""


def _document(folder: Path, file: str) -> Value:
    place = _inside(folder, file, file)
    return parse_document(place.read_bytes(), file)


def _texts(value: Value | None) -> list[str]:
    return [item.as_text("A dependency") for item in value.as_list("dependencies")] if value else []


def _checked_version(python: str, document: Value | None = None) -> str:
    if python and not _PYTHON.fullmatch(python):
        said = f"'{python[:50]}' is no version of Python; write it as 3.11 or 3.11.9."
        if document is not None:
            document.place.refuse(said)
        raise InvalidInput(said)
    return python


def _expanded(lines: Sequence[str], folder: Path, file: str) -> list[str]:
    """The lines with those of included files in place, so that the hash is over all of them."""
    found: list[str] = []
    _expand(lines, folder, file, found, set())
    return found


def _expand(lines: Sequence[str], folder: Path, file: str, found: list[str], seen: set[Path]) -> None:
    for line in _plain_lines(lines, file):
        included = _INCLUDES.fullmatch(line)
        if included is None:
            found.append(line)
        else:
            place = _inside(folder, included["file"], file)
            if place in seen or len(seen) >= _MAX_FILES:
                raise InvalidInput(f"{file}: '{included['file'][:200]}' is included in a circle, or too many are.")
            _expand(place.read_text(errors="replace").splitlines(), folder, included["file"], found, seen | {place})
        if len(found) > MAX_LINES:
            raise InvalidInput(f"{file}: more than {MAX_LINES} requirements.")


def _plain_lines(lines: Sequence[str], file: str) -> list[str]:
    # One item may be written over several lines, and each is a line of the requirements then.
    single = [line for item in lines for line in item.splitlines()]
    plain = [re.sub(r"(?:^|\s)#.*$", "", line).strip() for line in single]
    for line in plain:
        if _REFUSED.match(line):
            raise InvalidInput(
                f"{file}: '{line[:100]}': where packages come from is this machine's to say, and nothing is editable."
            )
        if line.startswith("-") and not _INCLUDES.fullmatch(line):
            raise InvalidInput(f"{file}: the option '{line[:100]}' is not taken.")
    return [line for line in plain if line]


def _inside(folder: Path, name: str, file: str) -> Path:
    try:
        place = folder.joinpath(*ArtifactPath.parse(name.removeprefix("./")).segments)
    except InvalidInput:
        raise InvalidInput(f"{file}: '{name[:200]}' has to be a file of the project.") from None
    if not place.is_file() or not place.resolve().is_relative_to(folder.resolve()):
        raise InvalidInput(f"{file}: the project has no file '{name[:200]}'.")
    if place.stat().st_size > 1024 * 1024:
        raise InvalidInput(f"{file}: '{name[:200]}' is too large.")
    return place
