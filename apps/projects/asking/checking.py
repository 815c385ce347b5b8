"""Whether values fit an entry point, before a run waits for a worker; what only its files can tell is told there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from apps.projects.mlproject import EntryPoint, Given, ParameterType, command_of, entry_point_of
from apps.projects.reading.documents import Document, project_of


def entry_of(document: Document, name: str = "") -> EntryPoint:
    """The entry point by name, else the one that runs without one. Raises `InvalidInput` that lists what there is."""
    return entry_point_of(project_of(document), name)


def command_for(entry: EntryPoint, values: Mapping[str, str]) -> str:
    """The command as it will be run, paths as they were written. Raises `InvalidInput` as running it would."""
    return command_of(_without_paths(entry), Given(values))


def _without_paths(entry: EntryPoint) -> EntryPoint:
    """Paths are looked for on the worker."""
    parameters = {
        name: replace(one, type=ParameterType.STRING) if one.type is ParameterType.PATH else one
        for name, one in entry.parameters.items()
    }
    return replace(entry, parameters=parameters)
