"""The whole supervisor of a host, with its threads."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import connection, connections

from apps.core.errors import Conflict
from apps.deployments import actions
from apps.deployments.configuration import Config
from apps.deployments.models import Instance, Revision, RevisionState, ServingHost, ServingLease
from apps.deployments.supervision.serving import Serving
from tests.deployments.supervision.fake import FakeTarget
from tests.personas import make_people
from tests.projects.builds.making import built, make_model
from tests.waiting import until

on_postgres = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor == "sqlite", reason="its threads would wait for the test's own connection"),
]


def supervisor(folder: Path, target: FakeTarget, *, keep: bool = False) -> Serving:
    @contextmanager
    def fetch(revision: Revision) -> Iterator[Path]:
        yield folder

    return Serving("mill", folder, {"process": target}, fetch, keep=keep)


@contextmanager
def running(serving: Serving) -> Iterator[None]:
    def run() -> None:
        try:
            serving.run()
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        serving.stop()
        thread.join(60)
    assert not thread.is_alive()


def is_ready() -> bool:
    return Revision.objects.filter(state=RevisionState.READY, routes__weight=100).exists()


class TestOnPostgres:
    pytestmark = on_postgres

    def test_it_serves_what_is_wanted_and_ends_all_when_it_stops(self, tmp_path: Path) -> None:
        people, target = make_people(), FakeTarget()
        version = make_model(people)
        built(version, people.ada)
        with running(supervisor(tmp_path, target)):
            actions.create_deployment(people.ada.actor, name="iris", version=version, config=Config(instances=2))
            until(is_ready)
            assert len(target.alive()) == 2
        assert not target.alive() and not Instance.objects.alive().exists()
        assert ServingHost.objects.get().stopped_ms is not None
        assert ServingLease.objects.get().until_ms == 0

    def test_what_is_kept_is_adopted(self, tmp_path: Path) -> None:
        people, target = make_people(), FakeTarget()
        version = make_model(people)
        built(version, people.ada)
        with running(supervisor(tmp_path, target, keep=True)):
            actions.create_deployment(people.ada.actor, name="iris", version=version, config=Config())
            until(is_ready)
        (kept,) = target.alive()
        seen = target.observations
        with running(supervisor(tmp_path, target)):
            until(lambda: target.observations > seen + 2)
            assert target.alive() == [kept] == list(Instance.objects.alive().values_list("pk", flat=True))
        assert not target.alive()


def test_a_folder_has_one_supervisor(tmp_path: Path) -> None:
    target = FakeTarget()
    first = supervisor(tmp_path, target)
    with running_lock(first), pytest.raises(Conflict, match="Another slipway serving runs on"):
        supervisor(tmp_path, target).run()


@contextmanager
def running_lock(serving: Serving) -> Iterator[None]:
    """As one that runs holds it."""
    from apps.deployments.supervision.serving import _locked

    with _locked(serving.folder):
        yield
