"""From an MLproject file to a `Project`. Every refusal names the file and the line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from apps.core.errors import InvalidInput
from apps.core.paths import ArtifactPath
from apps.projects.mlproject.project import RUNNERS, EntryPoint, Parameter, ParameterType, Project
from apps.runtime.documents import MAX_BYTES, Value, parse_document
from apps.runtime.environments.kinds import DockerEnvironment, Environment, EnvironmentKind

FILE = "MLproject"
_KEYS = (
    "name",
    "entry_points",
    "env_vars",
    *(kind.value for kind in EnvironmentKind if kind is not EnvironmentKind.NONE),
)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_DEFAULT_FILES = (("python_env.yaml", EnvironmentKind.PYTHON), ("conda.yaml", EnvironmentKind.CONDA))


def read_project(folder: Path) -> Project:
    """The project in a folder; its file may be written in any case, and may be missing. Raises `InvalidInput`."""
    files = {path.name for path in folder.iterdir() if path.is_file()}
    named = sorted(name for name in files if name.lower() == FILE.lower())
    if len(named) > 1:
        raise InvalidInput(f"Which is the project's file? There are: {', '.join(named)}.")
    if not named:
        return Project(environment=_found_environment(files))
    path = folder / named[0]
    if path.is_symlink() or path.stat().st_size > MAX_BYTES:
        raise InvalidInput(f"{path.name}: it has to be a plain file of at most {MAX_BYTES} bytes.")
    return parse_project(path.read_bytes(), files, path.name)


def parse_project(text: bytes | str, files: set[str] | None = None, file: str = FILE) -> Project:
    """The project that a file describes; `files` are the names beside it, for a default environment."""
    fields = parse_document(text, file).only("an MLproject file", *_KEYS)
    name = fields["name"].as_text("name") if "name" in fields else ""
    return Project(
        name=name,
        environment=_environment(fields, files or set()),
        entry_points=_entry_points(fields.get("entry_points")),
        env_vars=_env_vars(fields.get("env_vars")),
    )


def _environment(fields: Mapping[str, Value], files: set[str]) -> Environment:
    named = [kind for kind in EnvironmentKind if kind.value in fields]
    if len(named) > 1:
        both = " and ".join(kind.value for kind in named)
        fields[named[1].value].place.refuse(f"a project has one environment, not {both}.")
    if not named:
        return _found_environment(files)
    kind, value = named[0], fields[named[0].value]
    if kind is EnvironmentKind.DOCKER:
        return Environment(kind, docker=_docker(value))
    return Environment(kind, file=_file(value, kind.value))


def _found_environment(files: set[str]) -> Environment:
    for file, kind in _DEFAULT_FILES:
        if file in files:
            return Environment(kind, file=file)
    return Environment()


def _file(value: Value, what: str) -> str:
    try:
        return str(ArtifactPath.parse(value.as_text(what).removeprefix("./")))
    except InvalidInput:
        value.place.refuse(f"{what} has to be a file of the project.")


def _docker(value: Value) -> DockerEnvironment:
    fields = value.only("docker_env", "image", "volumes", "environment")
    if "image" not in fields:
        value.place.refuse("docker_env wants an image.")
    volumes = tuple(item.as_text("A volume") for item in _listed(fields, "volumes"))
    variables = tuple(_docker_variable(item) for item in _listed(fields, "environment"))
    return DockerEnvironment(fields["image"].as_text("image"), volumes, variables)


def _docker_variable(item: Value) -> tuple[str, str | None]:
    """`[NAME, value]` sets it, `NAME` takes the caller's."""
    if item.text is not None:
        return _variable_name(item), None
    pair = item.as_list("A variable")
    if len(pair) != 2:
        item.place.refuse("a variable is written NAME, to take the caller's, or [NAME, value].")
    return _variable_name(pair[0]), pair[1].as_text("The value of a variable")


def _listed(fields: Mapping[str, Value], name: str) -> tuple[Value, ...]:
    return fields[name].as_list(name) if name in fields else ()


def _env_vars(value: Value | None) -> dict[str, str | None]:
    """A mapping of values, null standing for the caller's; or a list of names to take."""
    if value is None:
        return {}
    if value.items is not None:
        return {_variable_name(item): None for item in value.items}
    if value.pairs is None and not value.is_null:
        value.place.refuse("env_vars has to be a mapping, `NAME: value`, or a list of names.")
    found: dict[str, str | None] = {}
    for key, item in value.pairs or ():
        found[_variable_name(key)] = None if item.is_null else item.as_text("The value of a variable")
    return found


def _variable_name(value: Value) -> str:
    name = value.as_text("The name of a variable")
    if not _VARIABLE.fullmatch(name):
        value.place.refuse(f"'{name[:100]}' can't be the name of a variable.")
    if name.upper().startswith(("MLFLOW_", "SLIPWAY_", "LD_", "PYTHONPATH")):
        value.place.refuse(f"{name} is not a project's to set.")
    return name


def _entry_points(value: Value | None) -> dict[str, EntryPoint]:
    if value is None:
        return {}
    if value.items is not None:
        return _listed_entry_points(value.items)
    return {name: _entry_point(name, item) for name, item in value.as_mapping("entry_points").items()}


def _listed_entry_points(items: tuple[Value, ...]) -> dict[str, EntryPoint]:
    """The list form: each has a `path` to a script, perhaps a `name`, perhaps `parameters`; or a `command`."""
    found: dict[str, EntryPoint] = {}
    for item in items:
        fields = item.only("an entry point of a list", "path", "name", "command", "parameters")
        if ("path" in fields) == ("command" in fields):
            item.place.refuse("an entry point of a list has either a path or a command.")
        path = _file(fields["path"], "path") if "path" in fields else ""
        name = fields["name"].as_text("name") if "name" in fields else Path(path).stem
        if not name:
            item.place.refuse("an entry point with a command wants a name.")
        if name in found:
            item.place.refuse(f"there are two entry points named '{name}'.")
        command = fields["command"].as_text("command") if "command" in fields else _script(item, path)
        found[name] = EntryPoint(name, command, _parameters(fields.get("parameters")))
    return found


def _script(item: Value, path: str) -> str:
    runner = RUNNERS.get(Path(path).suffix.lower())
    if runner is None:
        item.place.refuse(f"'{path}' is neither a .py, a .sh nor an .R file: say how to run it with `command`.")
    # Braces stand for parameters in a command.
    return f"{runner} {_quoted(path)}".replace("{", "{{").replace("}", "}}")


def _quoted(path: str) -> str:
    return path if re.fullmatch(r"[\w./-]+", path) else "'" + path.replace("'", "'\"'\"'") + "'"


def _entry_point(name: str, value: Value) -> EntryPoint:
    fields = value.only(f"the entry point '{name}'", "command", "parameters")
    if "command" not in fields:
        value.place.refuse(f"the entry point '{name}' wants a command.")
    return EntryPoint(name, fields["command"].as_text("command"), _parameters(fields.get("parameters")))


def _parameters(value: Value | None) -> dict[str, Parameter]:
    if value is None:
        return {}
    return {name: _parameter(name, item) for name, item in value.as_mapping("parameters").items()}


def _parameter(name: str, value: Value) -> Parameter:
    """`name: type`, or `name: {type: …, default: …}`."""
    if value.text is not None:
        return Parameter(name, _type(value))
    fields = value.only(f"the parameter '{name}'", "type", "default")
    kind = _type(fields["type"]) if "type" in fields else ParameterType.STRING
    has_default = "default" in fields and not fields["default"].is_null
    return Parameter(name, kind, fields["default"].as_text("default") if has_default else None)


def _type(value: Value) -> ParameterType:
    written = value.as_text("type")
    if written not in tuple(ParameterType):
        value.place.refuse(f"'{written[:100]}' is no type of parameters; they are: {', '.join(ParameterType)}.")
    return ParameterType(written)
