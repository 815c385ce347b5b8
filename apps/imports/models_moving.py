"""Bringing a registry over, after the runs that it names."""

from __future__ import annotations

import re
from dataclasses import replace

from apps.core.actor import Actor
from apps.core.errors import DomainError
from apps.experiments.artifacts.folders import folder_of_logged_model, folder_of_run
from apps.experiments.models import LoggedModel, Run
from apps.imports.sources.base import BrokenSource, Source
from apps.imports.tally import Tally
from apps.registry import actions
from apps.registry.foreign import ForeignModel, ForeignVersion
from apps.registry.models import Alias, ModelVersion

# The end of an address of files, wherever the store kept them.
_FOLDER = re.compile(
    r".*/(?:models/(?P<model>m-[0-9a-f]{32})|(?<!/models/)(?P<run>[\w-]{1,36}))/artifacts(?P<rest>/.*)?", re.DOTALL
)
_COPY = re.compile(r"models:/(?!m-[0-9a-f]{32}$)")


def move_registry(actor: Actor, source: Source, tally: Tally) -> list[ForeignModel]:
    """Bring all registered models over; those that are here now."""
    # What was copied from another version is registered after that one.
    models = sorted(source.registered_models(), key=lambda model: any(_COPY.match(v.source) for v in model.versions))
    moved = []
    for model in models:
        ours = replace(model, versions=[_with_our_source(version) for version in model.versions])
        try:
            is_new, versions = actions.adopt_model(actor, model=ours, origin=source.label, say=tally.problem)
        except BrokenSource:
            raise
        except DomainError as error:
            tally.problem(f"registered model '{model.name}': {error.message}")
            continue
        (tally.brought if is_new else tally.there)["registered models"] += 1
        tally.brought["model versions"] += versions
        tally.there["model versions"] += len(model.versions) - versions
        moved.append(model)
    return moved


def verify_registry(team_id: int, models: list[ForeignModel], tally: Tally) -> list[str]:
    """Lines that say which versions and aliases are not here; stages and aliases may have moved on since."""
    lines = []
    for model in models:
        here = ModelVersion.objects.filter(model__team_id=team_id, model__name=model.name)
        numbers = set(here.values_list("number", flat=True))
        aliases = set(Alias.objects.filter(version__in=here).values_list("name", flat=True))
        lines += [
            f"version {version.number} of the model '{model.name}' is not here"
            for version in model.versions
            if version.number not in numbers
        ]
        lines += [
            f"the alias @{name} of the model '{model.name}' is not here" for name in model.aliases.keys() - aliases
        ]
        tally.compared["model versions"] += len(numbers)
    return lines


def _with_our_source(version: ForeignVersion) -> ForeignVersion:
    """An address of the old store as the address here: the old one leads nowhere."""
    if version.source.startswith(("runs:", "models:")):
        return version
    found = _FOLDER.fullmatch(version.source)
    if found is None:
        return version
    uri = _uri_of_model(found["model"]) if found["model"] else _uri_of_run(found["run"])
    return replace(version, source=uri + (found["rest"] or "").rstrip("/")) if uri else version


def _uri_of_run(run_id: str) -> str:
    run = Run.objects.select_related("experiment").filter(run_id=run_id).first()
    return folder_of_run(run).uri if run else ""


def _uri_of_model(model_id: str) -> str:
    model = LoggedModel.objects.select_related("experiment").filter(model_id=model_id).first()
    return folder_of_logged_model(model).uri if model else ""
