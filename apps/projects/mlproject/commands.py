"""The shell command of an entry point with values. Values are quoted; nothing else of a caller reaches the shell."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from apps.core.errors import InvalidInput
from apps.projects.mlproject.project import RUNNERS, EntryPoint, Parameter, ParameterType, Project

MAIN = "main"
_PLACE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
# Where shell is inside of shell, no quoting can be told to be right.
_NESTED = re.compile(r"\$\(|`|<<|\$'|\b(?:eval|ssh|su)\b|\b\w*sh\s+(?:-\w+\s+(?:\w+\s+)?)*-\w*c\b")
# After these a word begins, and with # a comment.
_ENDS_WORD = " \t\n;&|()<>"
_TAME = re.compile(r"[\w@%+=:,./-]*")
_KEY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


@dataclass(frozen=True, slots=True)
class Given:
    """What the caller gave: values by name, and where relative paths are looked for, in this order."""

    values: Mapping[str, str]
    folders: tuple[Path, ...] = ()
    # Fetches what a `path` parameter names elsewhere; returns the file here.
    fetch: Callable[[str], Path] | None = None
    # Where the command sees the last of the folders, such as in a container; it sees no other file of this machine.
    seen_at: Path | None = None

    def may_see(self, place: Path) -> bool:
        """Whether a path is one that the command may be given, whatever is there."""
        try:
            return self.seen_at is None or place.resolve().is_relative_to(self.folders[-1].resolve())
        except (OSError, ValueError):  # a name that no file can have
            return False

    def seen(self, place: Path) -> Path:
        """A file of this machine as the command has to call it."""
        if self.seen_at is None:
            return place.resolve()
        project = self.folders[-1].resolve()
        if not self.may_see(place):
            raise InvalidInput(f"The command runs where it sees the project alone, and not '{str(place)[:200]}'.")
        return self.seen_at / place.resolve().relative_to(project)


def entry_point_of(project: Project, name: str = "") -> EntryPoint:
    """The entry point by name; without one `main`, else the only one. A script of the project needs no declaration.

    Raises `InvalidInput` that lists what there is.
    """
    declared = project.entry_points
    wanted = name or (MAIN if MAIN in declared or len(declared) != 1 else next(iter(declared)))
    if wanted in declared:
        return declared[wanted]
    runner = RUNNERS.get(Path(wanted).suffix.lower())
    if runner is not None:
        return EntryPoint(wanted, f"{runner} {_escaped(shlex.quote(wanted))}")
    known = ", ".join(declared) or "none is declared; name a .py or .sh file of the project"
    said = f"There is no entry point '{wanted}'" if name else "Say which entry point"
    raise InvalidInput(f"{said}: {known}.")


def command_of(entry: EntryPoint, given: Given) -> str:
    """The command for a shell. Raises `InvalidInput` for values that are missing or not of their type.

    Values of undeclared parameters are appended as `--name value`.
    """
    missing = [p.name for p in entry.parameters.values() if p.default is None and p.name not in given.values]
    if missing:
        raise InvalidInput(f"No value for {', '.join(missing)}: give it with -P {missing[0]}=…")
    values = {name: _checked(parameter, given) for name, parameter in entry.parameters.items()}
    extras = [part for name, value in given.values.items() if name not in values for part in _extra(name, value, given)]
    if extras and _open_quote(entry.command):
        raise InvalidInput(
            f"The command of '{entry.name}' ends in a comment or an open quotation, so nothing can be added to it: "
            f"{extras[0]} is not declared."
        )
    return " ".join([_filled(entry, values), *extras])


def values_of(entry: EntryPoint, given: Given) -> dict[str, str]:
    """All values that a run is made with, as they are logged: defaults too, paths as they were written."""
    declared = {name: given.values.get(name, parameter.default or "") for name, parameter in entry.parameters.items()}
    return declared | dict(given.values)


def _extra(name: str, value: str, given: Given) -> list[str]:
    if not _KEY.fullmatch(name):
        raise InvalidInput(f"'{name[:100]}' can't be the name of a parameter.")
    found = _file_of_caller(value, given)
    return [f"--{name}", shlex.quote(str(found) if found else value)]


def _file_of_caller(value: str, given: Given) -> Path | None:
    """The file that an undeclared value names where the command was typed: the script itself runs elsewhere."""
    if not given.folders or not re.search(r"[./]", value) or Path(value).is_absolute():
        return None
    place = given.folders[0] / value
    return given.seen(place) if given.may_see(place) and _is_file(place) else None


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name that no file can have
        return False


def _checked(parameter: Parameter, given: Given) -> str:
    value = given.values.get(parameter.name, parameter.default or "")
    match parameter.type:
        case ParameterType.FLOAT:
            _check_number(parameter, value)
        case ParameterType.URI:
            if not urlsplit(value).path and not urlsplit(value).netloc:
                raise InvalidInput(f"The parameter {parameter.name} wants a URI, not '{value[:200]}'.")
        case ParameterType.PATH:
            return str(_path(parameter, value, given))
        case ParameterType.STRING:
            pass
    return value


def _check_number(parameter: Parameter, value: str) -> None:
    try:
        float(value)
    except ValueError:
        raise InvalidInput(f"The parameter {parameter.name} wants a number, not '{value[:200]}'.") from None


def _path(parameter: Parameter, value: str, given: Given) -> Path:
    if "://" in value or re.match(r"(runs|models|mlflow-artifacts|dbfs):/", value):
        if given.fetch is None:
            raise InvalidInput(f"The parameter {parameter.name} wants a file here; '{value[:200]}' is elsewhere.")
        return given.fetch(value)
    if given.seen_at is not None and Path(value).is_absolute():
        return Path(value)  # of the image, or of a volume
    places = [Path(value)] if Path(value).is_absolute() else [folder / value for folder in given.folders]
    # Where the command sees the project alone, the answer is the same whatever else is on this machine.
    for place in filter(given.may_see, places):
        if _is_file(place) or place.is_dir():
            return given.seen(place)
    for place in places:
        given.seen(place)
    raise InvalidInput(f"The parameter {parameter.name} names no file or folder: '{value[:200]}'.")


def _filled(entry: EntryPoint, values: Mapping[str, str]) -> str:
    """`{name}` replaced by the value, quoted for where it stands; double braces are braces. Nothing else is known."""

    def place(match: re.Match[str]) -> str:
        if match[0] in ("{{", "}}"):
            return match[0][0]
        name = match[1]
        if name is None or name not in values:
            known = ", ".join(values) or "none"
            raise InvalidInput(
                f"The command of '{entry.name}' has {match[0][:100]}, which is no parameter of it; declared: {known}. "
                "Write {{ and }} for braces."
            )
        opened = _open_quote(entry.command[: match.start()])
        if not _TAME.fullmatch(values[name]) and (why := _why_tame(entry.command, opened)):
            raise InvalidInput(
                f"The parameter {name} may have only letters, digits and @%+=:,./_- here: the command of "
                f"'{entry.name}' has {why}."
            )
        return _quoted_for(opened, values[name])

    return _PLACE.sub(place, entry.command)


def _why_tame(command: str, opened: str) -> str:
    """Why no quoting of a value can be told to be right where it stands; empty where it can."""
    if _NESTED.search(command):
        return "shell inside of shell"
    return {"#": "it in a comment, which a new line would end", "\\": "it behind a backslash"}.get(opened, "")


def _open_quote(before: str) -> str:
    """The quotation mark that is open at the end of a piece of shell, `#` in a comment, a backslash behind one."""
    opened, skip, last = "", False, " "
    for character in before:
        if opened == "#":
            opened = "" if character == "\n" else "#"
        elif skip:
            skip = False
        elif character == "\\" and opened != "'":
            skip = True
        elif character == opened:
            opened = ""
        elif not opened and (character in "'\"" or (character == "#" and last in _ENDS_WORD)):
            opened = character
        last = character
    return "\\" if skip else opened


def _quoted_for(opened: str, value: str) -> str:
    """The value as shell: a word of its own, or a part of the quotation it stands in."""
    match opened:
        case "'":
            return value.replace("'", "'\"'\"'")
        case '"':
            return re.sub(r'(["$`\\])', r"\\\1", value)
        case "#" | "\\":
            return value  # which is tame
    return shlex.quote(value)


def _escaped(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")
