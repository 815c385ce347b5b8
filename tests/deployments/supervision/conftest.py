"""A supervisor with a fake target, whose threads and clocks are the test's."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from apps.core.actor import system_actor
from apps.deployments import actions
from apps.deployments.actions import leading
from apps.deployments.configuration import Config
from apps.deployments.models import Deployment, Instance, Revision, Route
from apps.deployments.supervision.agent import Agent
from apps.deployments.supervision.errands import Errands
from apps.deployments.supervision.leader import Leader
from apps.deployments.supervision.starting import Starter
from apps.projects.actions.common import DatabaseMs
from apps.registry.models import ModelVersion
from tests.deployments.supervision.fake import Fake, FakeTarget
from tests.personas import People
from tests.projects.builds.making import built, make_model

SYSTEM = system_actor()


class AtOnce(Errands):
    """Does what it is sent before it returns, and hides no fault."""

    def send(self, key: Hashable, work: Callable[[], object], *, quiet: bool = False) -> bool:
        work()
        return True


@dataclass
class Clock:
    """Both clocks: the database's in milliseconds, and this machine's in seconds."""

    ms: int = 1_900_000_000_000

    def seconds(self) -> float:
        return self.ms / 1000

    def go_on(self, seconds: float) -> None:
        self.ms += int(seconds * 1000)


@dataclass
class Yard:
    """A host with its agent, others where a test makes them, and the one who decides."""

    people: People
    target: FakeTarget
    agent: Agent
    leader: Leader
    clock: Clock
    folder: Path
    others: list[Agent] = field(default_factory=list)

    def turn(self, seconds: float = 1.0) -> int:
        """One look of all; the steps that were taken."""
        self.clock.go_on(seconds)
        steps = self.leader.tick() if self.leader.seek() else 0
        for each in (self.agent, *self.others):
            each.tick()
        return steps

    def settle(self) -> None:
        """Look until nothing follows, which has to come soon."""
        quiet = 0
        for _ in range(40):
            quiet = 0 if self.turn() else quiet + 1
            if quiet == 3:
                return
        raise AssertionError("it never comes to rest")

    def pass_time(self, seconds: float, step: float = 1.0) -> None:
        """Look again and again."""
        for _ in range(int(seconds / step)):
            self.turn(step)

    def version(self) -> ModelVersion:
        """The next version of Ada's model, with files, built."""
        version = make_model(self.people)
        built(version, self.people.ada)
        return version

    def deploy(self, name: str = "iris", **config: Any) -> Deployment:
        """A deployment of a new version by Ada, which nobody has looked at yet."""
        return actions.create_deployment(
            self.people.ada.actor, name=name, version=self.version(), config=Config(**config)
        )

    def serving(self, name: str = "iris", **config: Any) -> Deployment:
        """One that serves its first revision."""
        deployment = self.deploy(name, **config)
        self.settle()
        return fresh(deployment)

    def change(self, deployment: Deployment, **more: Any) -> Revision:
        """A revision of another version."""
        return actions.deploy_version(
            self.people.ada.actor, deployment=fresh(deployment), version=self.version(), **more
        )

    def fakes(self, revision: Revision) -> list[Fake]:
        """What runs of a revision."""
        keys = Instance.objects.alive().filter(revision=revision).order_by("pk").values_list("pk", flat=True)
        return [self.target.entries[pk] for pk in keys if pk in self.target.entries]

    def another_host(self, name: str) -> Agent:
        """One more host, with the same target."""
        self.others.append(make_agent(self.clock, self.target, self.folder, name))
        return self.others[-1]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """What the database says and what people's actions take, on either database."""
    made = Clock()

    def read(self: DatabaseMs, compiler: Any, connection: Any, **extra: Any) -> tuple[str, tuple[int]]:
        return "%s::bigint" if connection.vendor == "postgresql" else "%s", (made.ms,)

    monkeypatch.setattr(DatabaseMs, "as_sqlite", read)
    monkeypatch.setattr(DatabaseMs, "as_postgresql", read)
    # What `now_ms` reads, not the function: a module that is loaded meanwhile would keep another one for good.
    monkeypatch.setattr("apps.deployments.actions.common.time", SimpleNamespace(time_ns=lambda: made.ms * 1_000_000))
    return made


@pytest.fixture
def yard(people: People, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Yard:
    """A host, and nothing deployed."""

    def tried(what: str, work: Callable[[], object]) -> bool:
        work()
        return True

    monkeypatch.setattr("apps.deployments.supervision.agent.tried", tried)
    target = FakeTarget()
    leader = Leader("mill", "mill:1.1", AtOnce("test", 1, lambda: None), clock.seconds)
    return Yard(people, target, make_agent(clock, target, tmp_path, "mill"), leader, clock, tmp_path)


def make_agent(clock: Clock, target: FakeTarget, folder: Path, name: str) -> Agent:
    """A host that has just begun."""
    host = leading.register_host(SYSTEM, name=name, pid=7, version="1", targets=["process"], abilities={"targets": {}})

    @contextmanager
    def fetch(revision: Revision) -> Iterator[Path]:
        yield folder

    return Agent(host, {"process": target}, Starter(fetch), AtOnce("test", 1, lambda: None), clock.seconds)


def fresh(deployment: Deployment) -> Deployment:
    """As it is now."""
    return Deployment.objects.select_related("team", "model__team", "wanted__deployment").get(pk=deployment.pk)


def wanted(deployment: Deployment) -> Revision:
    """What it is moving to, as it is now."""
    found = fresh(deployment).wanted
    assert found is not None
    return found


def weights(deployment: Deployment) -> dict[int, int]:
    """Percents by number of revision."""
    rows = Route.objects.filter(deployment=deployment, weight__gt=0)
    return dict(rows.values_list("revision__number", "weight"))
