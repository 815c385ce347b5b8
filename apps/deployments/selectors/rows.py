"""Revisions and instances of one deployment, as its pages list them, in a constant number of statements."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from apps.deployments.configuration import Config
from apps.deployments.models import Deployment, Instance, Revision, RevisionState, Route

_MOST_ENDED = 25


@dataclass(frozen=True, slots=True)
class Change:
    """A field of a configuration that a revision changed; None: as the host has it."""

    name: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class RevisionRow:
    """A revision. `changes`: what its configuration has that the one before it had not; empty for the first."""

    revision: Revision
    weight: int
    is_wanted: bool
    changes: tuple[Change, ...]
    is_other_version: bool

    @property
    def may_return(self) -> bool:
        """Whether one can go back to it: it served once, its version is there, and it is not on trial."""
        revision = self.revision
        is_there = revision.ready_ms is not None and revision.version_id is not None
        return is_there and not self.is_wanted and not revision.is_canary

    @property
    def may_retry(self) -> bool:
        """Whether it failed, and somebody still wants it."""
        return self.revision.state == RevisionState.FAILED and (self.is_wanted or self.revision.is_canary)


def revisions_of(deployment: Deployment) -> QuerySet[Revision]:
    """Those of a deployment that was fetched, the newest first."""
    found = Revision.objects.filter(deployment=deployment).order_by("-number")
    return found.select_related("version__model__team", "build")


def revision_rows(deployment: Deployment, revisions: Iterable[Revision]) -> list[RevisionRow]:
    """A page of them with what their rows show. Two statements."""
    shown = list(revisions)
    weights = dict(Route.objects.filter(deployment=deployment).values_list("revision_id", "weight"))
    before = {one.number: one for one in shown}
    if shown and shown[-1].number > 1:
        older = Revision.objects.filter(deployment=deployment, number__lt=shown[-1].number).order_by("-number")[:1]
        before |= {one.number: one for one in older}
    numbers = sorted(before)
    previous = {number: before[numbers[place - 1]] for place, number in enumerate(numbers) if place}
    return [_revision_row(deployment, one, weights.get(one.pk, 0), previous.get(one.number)) for one in shown]


def changes_between(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    """The fields of two kept configurations that differ; variables one by one."""
    one, other = Config.from_json(before), Config.from_json(after)
    for name in Config.__struct_fields__:
        if name != "env_vars" and getattr(one, name) != getattr(other, name):
            yield Change(name, getattr(one, name), getattr(other, name))
    for name in sorted(one.env_vars.keys() | other.env_vars.keys()):
        if one.env_vars.get(name) != other.env_vars.get(name):
            yield Change(name, one.env_vars.get(name), other.env_vars.get(name))


def instance_rows(deployment: Deployment) -> list[Instance]:
    """What is there, the newest first, then what ended lately. Two statements."""
    found = Instance.objects.filter(revision__deployment=deployment).select_related("revision").order_by("-pk")
    ended = found.filter(ended_ms__isnull=False)[:_MOST_ENDED]
    return [*found.alive(), *ended]


def _revision_row(deployment: Deployment, one: Revision, weight: int, before: Revision | None) -> RevisionRow:
    changes = tuple(changes_between(before.config, one.config)) if before else ()
    is_other = before is not None and (before.model_name, before.version_number) != (one.model_name, one.version_number)
    return RevisionRow(one, weight, one.pk == deployment.wanted_id, changes, is_other)
