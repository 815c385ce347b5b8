"""From a build to its plan: copy the version's files, find out what they need, and let the child load them."""

from __future__ import annotations

import shlex
from pathlib import Path

from django.conf import settings

from apps.accounts.authentication import actor_of_user
from apps.core.actor import Via
from apps.core.errors import InvalidInput
from apps.projects.actions.builds import note_files, note_result
from apps.projects.builds.results import NAME, read_result
from apps.projects.execution.plans import Plan, Preparation
from apps.projects.models import Build, ProjectRun
from apps.registry import access
from apps.registry.copying import copy_files
from apps.registry.mlmodel import folder_of_version
from apps.registry.models import ModelVersion
from apps.registry.stamps import stamp_of
from apps.runtime.environments.serving import needs_of_model

_CHILD = Path(__file__).with_name("child.py")
_TIMES = 20


def plan_of_build(preparation: Preparation) -> Plan:
    """What loading a version comes down to. Raises `DomainError` in words where it can't begin."""
    run, work = preparation.run, preparation.work / "build"
    version = _version(run)
    model = work / "model"
    model.mkdir(parents=True)
    files, digest = copy_files(folder_of_version(version), model, settings.PROJECT_DISK_MB * 1024**2)
    note_files(run=run, stamp=stamp_of(files), size=sum(entry.size for entry in files), sha256=digest)
    preparation.say(f"Copied {len(files)} files of {version}.")
    child = work / "child.py"
    child.write_bytes(_CHILD.read_bytes())
    seen = [str(preparation.seen(place)) for place in (child, model, work / NAME)]
    # Isolated: what the model's folder holds is not found as a module unless mlflow puts it there.
    return Plan(
        command=shlex.join(["python", "-I", *seen, str(_TIMES)]),
        folder=work,
        needs=needs_of_model(model),
        finished=lambda folder: _finished(run, folder),
    )


def _version(run: ProjectRun) -> ModelVersion:
    """What is to be built, which its owner still has to be able to read. Raises `InvalidInput` where it is gone."""
    build = Build.objects.select_related("version__model__team").filter(project_run=run.pk).first()
    if build is None or build.version is None or run.owner is None:
        raise InvalidInput("The model version was deleted.")
    actor = actor_of_user(run.owner, Via.SYSTEM).speaking_for(run.team_id)
    return access.get_version_by_id(actor, build.version.pk)


def _finished(run: ProjectRun, folder: Path) -> str:
    """Keep what the child found. Raises `InvalidInput` with its words where the model can't be loaded."""
    result = read_result(folder)
    note_result(run=run, result=result.to_json())
    if result.error:
        raise InvalidInput(f"The model can't be loaded and scored: {result.error}")
    scored = f"; its example takes {result.latency_ms:.4g} ms" if result.latency_ms is not None else ""
    return f"Loaded in {result.load_ms / 1000:.3g} s{scored}."
