"""What can follow from a look at the world: each is carried out by one action, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from apps.deployments.models import Instance, Revision
from apps.projects.models import Build


@dataclass(frozen=True, slots=True)
class Prepare:
    """Find or begin the build of a revision's version: slow, since the version's files are looked at."""

    revision: Revision


@dataclass(frozen=True, slots=True)
class Built:
    """The build that was waited for is green."""

    revision: Revision
    build: Build


@dataclass(frozen=True, slots=True)
class Wake:
    """One that rested is wanted again."""

    revision: Revision


@dataclass(frozen=True, slots=True)
class Rest:
    """Nothing of it is to run."""

    revision: Revision
    reason: str


@dataclass(frozen=True, slots=True)
class Start:
    """An instance is to be started."""

    revision: Revision
    slot: int
    host: str
    failures: int


@dataclass(frozen=True, slots=True)
class Drain:
    """Instances that are too many."""

    instances: Sequence[Instance]
    reason: str


@dataclass(frozen=True, slots=True)
class Lose:
    """Instances of a host that is gone."""

    instances: Sequence[Instance]
    reason: str


@dataclass(frozen=True, slots=True)
class Ready:
    """All instances of it answer."""

    revision: Revision


@dataclass(frozen=True, slots=True)
class Fall:
    """None of its instances answers any more, and no traffic goes there."""

    revision: Revision
    message: str


@dataclass(frozen=True, slots=True)
class Shift:
    """It is ready and wanted, and the traffic goes elsewhere."""

    revision: Revision


@dataclass(frozen=True, slots=True)
class Say:
    """What is waited for, or goes wrong."""

    revision: Revision
    message: str


@dataclass(frozen=True, slots=True)
class Fail:
    """It can't be made ready."""

    revision: Revision
    message: str


Step = Prepare | Built | Wake | Rest | Start | Drain | Lose | Ready | Fall | Shift | Say | Fail
