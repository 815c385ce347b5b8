"""Who decides: one at a time, and who comes late writes nothing."""

from __future__ import annotations

import threading

import pytest
from django.db import connection

from apps.deployments.actions import leading, observing
from apps.deployments.actions.leading import LEASE_MS, Deposed
from apps.deployments.models import ServingLease
from apps.deployments.supervision.leader import Leader
from tests.deployments.supervision.conftest import SYSTEM, AtOnce, Clock, Yard, wanted


def leader(clock: Clock, host: str) -> Leader:
    return Leader(host, f"{host}:1.1", AtOnce("test", 1, lambda: None), clock.seconds)


def test_the_first_decides_until_its_lease_runs_out(db: None, clock: Clock) -> None:
    first, second = leader(clock, "mill"), leader(clock, "oak")
    assert first.seek() and not second.seek()
    clock.go_on(LEASE_MS / 2000)
    assert first.seek() and not second.seek()
    clock.go_on(LEASE_MS / 1000 + 1)
    assert second.seek() and not first.seek()


def test_one_that_leaves_is_followed_at_once(db: None, clock: Clock) -> None:
    first, second = leader(clock, "mill"), leader(clock, "oak")
    assert first.seek()
    first.leave()
    assert second.seek()


def test_the_next_one_on_the_same_host_need_not_wait(db: None, clock: Clock) -> None:
    assert leader(clock, "mill").seek()
    assert Leader("mill", "mill:2.2", AtOnce("test", 1, lambda: None), clock.seconds).seek()
    assert not leader(clock, "mil").seek(), "a name that begins the same is another's"


def test_who_was_followed_writes_nothing(yard: Yard) -> None:
    deployment = yard.deploy()
    assert yard.leader.seek()
    late = yard.leader.lease
    assert late is not None
    yard.clock.go_on(60)
    assert leading.take_lease(SYSTEM, host="oak", holder="oak:1.1") is not None
    with pytest.raises(Deposed):
        observing.note_failed(SYSTEM, lease=late, revision=wanted(deployment), message="late")
    with pytest.raises(Deposed):
        yard.leader.tick()
    assert wanted(deployment).message == ""


def test_a_lease_that_ran_out_is_none_even_if_nobody_followed(yard: Yard) -> None:
    deployment = yard.deploy()
    assert yard.leader.seek()
    late = yard.leader.lease
    assert late is not None
    yard.clock.go_on(60)
    with pytest.raises(Deposed):
        observing.note_failed(SYSTEM, lease=late, revision=wanted(deployment), message="late")


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite lets one write at a time: there is no race")
def test_of_many_at_once_one_decides() -> None:
    taken: list[object] = []
    together = threading.Barrier(8)

    def seek(number: int) -> None:
        together.wait()
        lease = leading.take_lease(SYSTEM, host=f"host-{number}", holder=f"host-{number}:1.1")
        taken.append(lease)
        connection.close()

    threads = [threading.Thread(target=seek, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([lease for lease in taken if lease is not None]) == 1
    assert ServingLease.objects.get().fence == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite lets one write at a time: there is no race")
def test_who_decides_finishes_a_write_before_the_next_one_begins() -> None:
    lease = leading.take_lease(SYSTEM, host="mill", holder="mill:1.1")
    assert lease is not None
    inside, order = threading.Event(), []

    def follow() -> None:
        inside.wait()
        leading.take_lease(SYSTEM, host="mill", holder="mill:2.2")
        order.append("next")
        connection.close()

    thread = threading.Thread(target=follow)
    thread.start()
    with leading.under(lease):
        inside.set()
        thread.join(0.3)
        order.append("first")
    thread.join()
    assert order == ["first", "next"]
    with pytest.raises(Deposed), leading.under(lease):
        pass
