"""What a project's MLproject said when it was last read: as JSON to keep, and as text in its canonical form."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from apps.core.errors import InvalidInput
from apps.core.paths import ArtifactPath
from apps.projects.mlproject import EntryPoint, Parameter, ParameterType, Project, read_project
from apps.projects.mlproject.project import RUNNERS
from apps.projects.mlproject.reading import FILE
from apps.runtime.documents import MAX_BYTES, Value, parse_document
from apps.runtime.environments import needs_of
from apps.runtime.environments.kinds import DockerEnvironment, Environment, EnvironmentKind

Document = Mapping[str, Any]
# How much of the file that names the packages pages show, and how many scripts that nobody declared.
_SHOWN = 20_000
_MOST_SCRIPTS = 100


def read_document(folder: Path) -> dict[str, Any]:
    """The document of the project in a folder. Raises `InvalidInput` that names the file and the line.

    `{"name", "file", "environment": {"kind", "file", "text", "image", "volumes", "variables"}, "env_vars",
    "entry_points": [{"name", "command", "parameters": [{"name", "type", "default"}]}], "scripts", "notes"}`;
    `notes` are sentences about what is not as it was written.
    """
    project = read_project(folder)
    # What the packages' files say wrongly is told here, and not when a run has waited for a worker.
    needs_of(project.environment, folder)
    names = sorted(path.name for path in folder.iterdir() if path.is_file())
    file = next((name for name in names if name.lower() == FILE.lower()), "")
    return {
        "name": project.name,
        "file": file,
        "environment": _environment(project.environment, folder),
        "env_vars": dict(project.env_vars),
        "entry_points": [_entry_point(entry) for entry in project.entry_points.values()],
        "scripts": [name for name in names if Path(name).suffix.lower() in RUNNERS][:_MOST_SCRIPTS],
        "notes": _notes(folder, file, project),
    }


def project_of(document: Document) -> Project:
    """The project that a document was made of."""
    return Project(
        name=document["name"],
        environment=_environment_of(document["environment"]),
        entry_points={entry["name"]: _entry_point_of(entry) for entry in document["entry_points"]},
        env_vars=dict(document["env_vars"]),
    )


def canonical_text(document: Document) -> str:
    """The MLproject as MLflow itself would take it, where there is a counterpart."""
    environment = document["environment"]
    said: dict[str, Any] = {"name": document["name"]} if document["name"] else {}
    if environment["kind"] == EnvironmentKind.DOCKER:
        said["docker_env"] = _docker_text(environment)
    elif environment["kind"] != EnvironmentKind.NONE:
        said[environment["kind"]] = environment["file"]
    if document["env_vars"]:
        said["env_vars"] = dict(document["env_vars"])
    if document["entry_points"]:
        said["entry_points"] = {entry["name"]: _entry_text(entry) for entry in document["entry_points"]}
    return yaml.safe_dump(said, sort_keys=False, allow_unicode=True, width=1000) if said else ""


def cli_text(document: Document, name: str = "") -> str:
    """How its first entry point is queued from a terminal, in a folder with the same files.

    `name` is the project's here: where the file has another, the command says whose run it is to be.
    """
    last = ["--backend slipway"]
    if name and name != document["name"]:
        last.append(f"--project {shlex.quote(name)}")
    if not document["entry_points"]:
        return " ".join(["slipway run . -e SCRIPT.py", *last])
    entry = document["entry_points"][0]
    missing = [f"-P {shlex.quote(one['name'])}=…" for one in entry["parameters"] if one["default"] is None]
    return " ".join(["slipway run .", "-e", shlex.quote(entry["name"]), *missing, *last])


def _environment(environment: Environment, folder: Path) -> dict[str, Any]:
    docker = environment.docker
    return {
        "kind": environment.kind.value,
        "file": environment.file,
        "text": _text_of(folder, environment.file),
        "image": docker.image if docker else "",
        "volumes": list(docker.volumes) if docker else [],
        "variables": [list(pair) for pair in docker.variables] if docker else [],
    }


def _text_of(folder: Path, file: str) -> str:
    path = folder.joinpath(*ArtifactPath.parse(file).segments) if file else folder
    if not path.is_file() or path.is_symlink() or not path.resolve().is_relative_to(folder.resolve()):
        return ""
    with path.open("rb") as content:
        return content.read(_SHOWN).decode(errors="replace").replace("\x00", "")


def _environment_of(said: Document) -> Environment:
    kind = EnvironmentKind(said["kind"])
    docker = None
    if kind is EnvironmentKind.DOCKER:
        variables = tuple((name, value) for name, value in said["variables"])
        docker = DockerEnvironment(said["image"], tuple(said["volumes"]), variables)
    return Environment(kind, said["file"], docker)


def _entry_point(entry: EntryPoint) -> dict[str, Any]:
    parameters = [
        {"name": one.name, "type": one.type.value, "default": one.default} for one in entry.parameters.values()
    ]
    return {"name": entry.name, "command": entry.command, "parameters": parameters}


def _entry_point_of(said: Document) -> EntryPoint:
    parameters = {
        one["name"]: Parameter(one["name"], ParameterType(one["type"]), one["default"]) for one in said["parameters"]
    }
    return EntryPoint(said["name"], said["command"], parameters)


def _docker_text(environment: Document) -> dict[str, Any]:
    said: dict[str, Any] = {"image": environment["image"]}
    if environment["volumes"]:
        said["volumes"] = list(environment["volumes"])
    if environment["variables"]:
        said["environment"] = [name if value is None else [name, value] for name, value in environment["variables"]]
    return said


def _entry_text(entry: Document) -> dict[str, Any]:
    said: dict[str, Any] = {}
    if entry["parameters"]:
        said["parameters"] = {one["name"]: _parameter_text(one) for one in entry["parameters"]}
    return said | {"command": entry["command"]}


def _parameter_text(parameter: Document) -> Any:
    if parameter["default"] is None:
        return parameter["type"]
    return {"type": parameter["type"], "default": _plain(parameter)}


def _plain(parameter: Document) -> Any:
    """A default as people write it: numbers without quotes."""
    default = parameter["default"]
    if parameter["type"] != ParameterType.FLOAT:
        return default
    number = yaml.safe_load(default)
    return number if isinstance(number, int | float) and str(number) == default else default


def _notes(folder: Path, file: str, project: Project) -> list[str]:
    """What the canonical form says otherwise than the file does."""
    if not file:
        return ["There is no MLproject file: scripts are named as entry points when a run is started."]
    fields = _fields(folder / file)
    notes = []
    if "entry_points" in fields and fields["entry_points"].items is not None:
        notes.append("The entry points were written as a list; MLflow itself takes a mapping of names.")
    if "env_vars" in fields and fields["env_vars"].items is not None:
        notes.append("env_vars were written as a list of names: their values come from whoever starts a run.")
    if project.environment.file and project.environment.kind.value not in fields:
        notes.append(f"The file names no environment; {project.environment.file} beside it is taken.")
    return notes


def _fields(path: Path) -> Mapping[str, Value]:
    if path.stat().st_size > MAX_BYTES:
        raise InvalidInput(f"{path.name}: it has to be a plain file of at most {MAX_BYTES} bytes.")
    return parse_document(path.read_bytes(), path.name).as_mapping("an MLproject file")
