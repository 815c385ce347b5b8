"""Reading MLproject files, and making the command of an entry point. Pure: no tables, no settings, no network."""

from apps.projects.mlproject.commands import Given, command_of, entry_point_of
from apps.projects.mlproject.project import EntryPoint, Parameter, ParameterType, Project
from apps.projects.mlproject.reading import parse_project, read_project

__all__ = [
    "EntryPoint",
    "Given",
    "Parameter",
    "ParameterType",
    "Project",
    "command_of",
    "entry_point_of",
    "parse_project",
    "read_project",
]
