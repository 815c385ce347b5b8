"""From a build to its plan: copy the version's files, find out what they need, and let the child load them."""

from __future__ import annotations

import hashlib
import re
import shlex
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from django.conf import settings

from apps.accounts.authentication import actor_of_user
from apps.core.actor import Via
from apps.core.errors import Conflict, InvalidInput
from apps.core.paths import ArtifactPath
from apps.experiments.artifacts.folders import ArtifactFolder
from apps.experiments.artifacts.store import Entry
from apps.projects.actions.builds import note_files, note_result
from apps.projects.builds.results import NAME, read_result
from apps.projects.environments import Needs, needs_of, needs_of_requirements
from apps.projects.execution.plans import Plan, Preparation
from apps.projects.mlproject.project import Environment, EnvironmentKind
from apps.projects.models import Build, ProjectRun
from apps.registry import access
from apps.registry.mlmodel import folder_of_version
from apps.registry.models import ModelVersion
from apps.registry.stamps import files_in, stamp_of

_CHILD = Path(__file__).with_name("child.py")
_TIMES = 20
_MLFLOW = re.compile(r"mlflow(?:[-_.]skinny)?(?:\[[^]]*\])?\s*(?:[<>=!~;@ ].*)?", re.IGNORECASE)
# The skinny client loads models where these are beside it.
_CLIENT = ("mlflow-skinny", "pandas", "numpy")
_ENVIRONMENTS = (("python_env.yaml", EnvironmentKind.PYTHON), ("conda.yaml", EnvironmentKind.CONDA))


def plan_of_build(preparation: Preparation) -> Plan:
    """What loading a version comes down to. Raises `DomainError` in words where it can't begin."""
    run, work = preparation.run, preparation.work / "build"
    version = _version(run)
    model = work / "model"
    model.mkdir(parents=True)
    files, digest = _copy(folder_of_version(version), model)
    note_files(run=run, stamp=stamp_of(files), size=sum(entry.size for entry in files), sha256=digest)
    preparation.say(f"Copied {len(files)} files of {version}.")
    child = work / "child.py"
    child.write_bytes(_CHILD.read_bytes())
    seen = [str(preparation.seen(place)) for place in (child, model, work / NAME)]
    # Isolated: what the model's folder holds is not found as a module unless mlflow puts it there.
    return Plan(
        command=shlex.join(["python", "-I", *seen, str(_TIMES)]),
        folder=work,
        needs=_needs(model),
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


def _copy(folder: ArtifactFolder, into: Path) -> tuple[list[Entry], str]:
    """The files as they are, and the SHA-256 of names and contents. Raises `Conflict` where they change meanwhile."""
    files = files_in(folder)
    if sum(entry.size for entry in files) > settings.PROJECT_DISK_MB * 1024**2:
        raise InvalidInput(f"The version's files take more than the {settings.PROJECT_DISK_MB} MB that a run may.")
    digest = hashlib.sha256()
    for entry in files:
        path = ArtifactPath.parse(entry.path)
        place = into.joinpath(*path.segments)
        place.parent.mkdir(parents=True, exist_ok=True)
        digest.update(f"{entry.path}\x00{entry.size}\x00".encode())
        with place.open("xb") as file:
            for piece in folder.open(path):
                digest.update(piece)
                file.write(piece)
    if stamp_of(files_in(folder)) != stamp_of(files):
        raise Conflict("The version's files were changed while they were copied; build it again.")
    return files, digest.hexdigest()


def _needs(model: Path) -> Needs:
    """What the model's own files name, with MLflow's client where they don't name it."""
    needs = _named(model)
    return needs if any(_MLFLOW.fullmatch(line) for line in needs.lines) else _with(needs, _CLIENT)


def _named(model: Path) -> Needs:
    for name, kind in _ENVIRONMENTS:
        if (model / name).is_file():
            return needs_of(Environment(kind, name), model)
    requirements = model / "requirements.txt"
    if not requirements.is_file():
        return needs_of_requirements(())
    return needs_of_requirements(requirements.read_text(errors="replace").splitlines())


def _with(needs: Needs, lines: Iterable[str]) -> Needs:
    named = {re.split(r"[^A-Za-z0-9._-]", line, maxsplit=1)[0].lower() for line in needs.lines}
    return replace(needs, lines=(*needs.lines, *(line for line in lines if line not in named)))
