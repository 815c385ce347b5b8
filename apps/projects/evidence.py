"""Whether the runs of projects let a version pass: what `apps.registry` asks of this app for its gates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import F, Max, Q
from django.utils.translation import gettext as _

from apps.accounts.models import Grant, ObjectKind
from apps.experiments.actions.common import now_ms
from apps.projects.addresses import run_url, start_url
from apps.projects.models import JobKind, Project, ProjectRun, RunState
from apps.projects.querysets import ProjectRunQuerySet
from apps.registry.facts import touch_kind
from apps.registry.gates.base import Params, Verdict, failed, passed, pending
from apps.registry.gates.others import Asked, Stamp, register_judge
from apps.registry.gates.project_run import THIS
from apps.registry.models import ModelVersion

# Of a version, so many of its newest runs are looked at.
_MOST = 1000
# One that somebody cancelled says nothing.
_SAYING = (RunState.FINISHED, RunState.FAILED, RunState.LOST)
_HOUR_MS = timedelta(hours=1) // timedelta(milliseconds=1)


def register() -> None:
    """Let gates ask for project runs."""
    register_judge("project_run", judge_runs)


def note_ended(run: ProjectRun) -> None:
    """Have gates look again, in the transaction that ends a run."""
    if run.kind == JobKind.PROJECT and run.state in _SAYING:
        touch_kind("project_run")


@dataclass(frozen=True, slots=True)
class _Wish:
    """A gate's wish with the project that it means; None where the version's team has none of that name."""

    version: ModelVersion
    params: Params
    project: Project | None

    @property
    def is_about(self) -> bool:
        return bool(self.params["about"] == THIS)

    def takes(self, run: ProjectRun) -> bool:
        """Whether a run of the project counts."""
        entry = self.params["entry_point"]
        named = not entry or run.entry_point == entry or (entry == "main" and not run.entry_point)
        return named and (not self.is_about or is_about(run, self.version))


def judge_runs(asked: Sequence[Asked], _stamp: Stamp) -> list[Verdict]:
    """For each version and wish what the newest run says that ended and counts. At most five statements."""
    found = _Projects(asked)
    wishes = [_Wish(version, params, found.of(version, params["project"])) for version, params in asked]
    runs = _runs(wishes)
    return [_verdict(wish, runs) for wish in wishes]


def is_about(run: ProjectRun, version: ModelVersion) -> bool:
    """Whether it made the version, or was started with it as parameters. The version comes with its model."""
    if run.run_id is not None and run.run_id == version.source_run_id:
        return True
    name, number, given = version.model.name, str(version.number), run.params
    named = (given.get("model"), given.get("version")) == (name, number) or given.get("model_uri") == _uri(version)
    return run.team_id == version.model.team_id and named


def _verdict(wish: _Wish, runs: Mapping[int, list[ProjectRun]]) -> Verdict:
    project, name = wish.project, wish.params["project"]
    if project is None:
        return pending(_("The model's team has no project %s") % name)
    run = next(filter(wish.takes, runs.get(project.pk, [])), None)
    if run is None:
        url = start_url(project, wish.params["entry_point"])
        return pending(_("No run of %s has ended that counts") % name, url=url, starts=True)
    seen: dict[str, Any] = {"project_run": run.pk, "state": run.state, "url": run_url(run), "ended_ms": run.ended_ms}
    if run.state != RunState.FINISHED:
        return failed(_("Run #%(run)s of %(name)s is not green: %(why)s") % _words(run, name), **seen)
    if _is_old(run, wish.params):
        return pending(_("Run #%(run)s of %(name)s is green and too old") % _words(run, name), **seen)
    return passed(_("Run #%(run)s of %(name)s is green") % _words(run, name), **seen)


def _words(run: ProjectRun, name: str) -> dict[str, object]:
    return {"run": run.pk, "name": name, "why": (run.message or run.state)[:300]}


def _is_old(run: ProjectRun, params: Params) -> bool:
    hours = params["max_age_hours"]
    return bool(hours) and (run.ended_ms or 0) < now_ms() - hours * _HOUR_MS


def _uri(version: ModelVersion) -> str:
    return f"models:/{version.model.name}/{version.number}"


class _Projects:
    """The projects that wishes name: of the model's team, or of another that granted it to that team."""

    def __init__(self, asked: Sequence[Asked]) -> None:
        names = Q(pk__in=[])
        for version, params in asked:
            team, _slash, name = params["project"].rpartition("/")
            names |= Q(name=name, team__name=team) if team else Q(name=name, team_id=version.model.team_id)
        rows = list(Project.objects.filter(names).select_related("team"))
        self._named = {(project.team.name, project.name): project for project in rows}
        self._own = {(project.team_id, project.name): project for project in rows}
        self._granted = _grants(rows, {version.model.team_id for version, _params in asked})

    def of(self, version: ModelVersion, text: str) -> Project | None:
        """The one that is meant; None where the team may not know of it."""
        team, _slash, name = text.rpartition("/")
        team_id = version.model.team_id
        found = self._named.get((team, name)) if team else self._own.get((team_id, name))
        knows = found is not None and (found.team_id == team_id or (found.pk, team_id) in self._granted)
        return found if knows else None


def _grants(projects: Iterable[Project], teams: set[int]) -> set[tuple[int, int | None]]:
    others = [project.pk for project in projects if teams - {project.team_id}]
    if not others:
        return set()
    found = Grant.objects.filter(kind=ObjectKind.PROJECT, object_id__in=others, team_id__in=teams)
    return set(found.values_list("object_id", "team_id"))


def _runs(wishes: Iterable[_Wish]) -> dict[int, list[ProjectRun]]:
    """Those that may count, by project, the newest first."""
    known = [wish for wish in wishes if wish.project is not None]
    keys = {*_newest(wish for wish in known if not wish.is_about), *_about(wish for wish in known if wish.is_about)}
    found: dict[int, list[ProjectRun]] = {}
    for run in ProjectRun.objects.filter(pk__in=keys).order_by("-pk") if keys else ():
        found.setdefault(run.project_id or 0, []).append(run)
    return found


def _newest(wishes: Iterable[_Wish]) -> list[int]:
    projects = {wish.project.pk for wish in wishes if wish.project}
    if not projects:
        return []
    rows = _saying().filter(project_id__in=projects).order_by().values("project_id", "entry_point")
    return [row["newest"] for row in rows.annotate(newest=Max("pk"))]


def _about(wishes: Iterable[_Wish]) -> list[int]:
    named = Q(pk__in=[])
    for wish in wishes:
        version, model = wish.version, wish.version.model
        pair = Q(params__model=model.name, params__version=str(version.number))
        by_making = Q(run_id=version.source_run_id) if version.source_run_id else Q(pk__in=[])
        named |= Q(project=wish.project) & (
            by_making | Q(team_id=model.team_id) & (pair | Q(params__model_uri=_uri(version)))
        )
    return list(_saying().filter(named).order_by("-pk").values_list("pk", flat=True)[:_MOST])


def _saying() -> ProjectRunQuerySet:
    """Ended ones of the project's own files: whoever starts a run may hand over others, which say nothing of it."""
    same = Q(archive_id=F("project__archive_id")) | Q(archive__isnull=True, project__archive__isnull=True)
    place = {name: F(f"project__{name}") for name in ("source_uri", "source_version", "subfolder")}
    own = same & Q(**place)
    return ProjectRun.objects.filter(own, kind=JobKind.PROJECT, state__in=_SAYING)
