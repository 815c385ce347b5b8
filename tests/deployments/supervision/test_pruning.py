from __future__ import annotations

from apps.deployments.actions.common import now_ms
from apps.deployments.actions.pruning import KEPT_DAYS, KEPT_INSTANCES, prune
from apps.deployments.models import Instance, InstanceState, ServingHost, TrafficMinute
from tests.deployments.making import make_host, make_instance, ready_deployment
from tests.deployments.supervision.conftest import SYSTEM
from tests.personas import People


def test_of_each_revision_the_last_ended_instances_stay(people: People) -> None:
    first, second = (ready_deployment(people.ada, name).revisions.get() for name in ("one", "two"))
    for _ in range(KEPT_INSTANCES + 5):
        make_instance(first, InstanceState.ENDED, ended_ms=now_ms())
    make_instance(second, InstanceState.ENDED, ended_ms=now_ms())
    newest = Instance.objects.filter(revision=first).order_by("-pk").first()
    prune(SYSTEM)
    assert Instance.objects.filter(revision=first, ended_ms__isnull=False).count() == KEPT_INSTANCES
    assert newest in Instance.objects.all()
    assert Instance.objects.filter(revision=second).count() == 2
    assert Instance.objects.alive().count() == 2, "what runs stays"


def test_traffic_of_a_month_stays(people: People) -> None:
    revision = ready_deployment(people.ada).revisions.get()
    minute = now_ms() // 60_000
    for age in (0, KEPT_DAYS * 1440 - 5, KEPT_DAYS * 1440 + 5):
        TrafficMinute.objects.create(revision=revision, minute=minute - age, requests=1)
    prune(SYSTEM)
    assert TrafficMinute.objects.count() == 2


def test_hosts_that_were_not_heard_of_for_a_day_go(people: People) -> None:
    make_host("new")
    old = make_host("old")
    ServingHost.objects.filter(pk=old.pk).update(seen_ms=now_ms() - 25 * 3_600_000)
    prune(SYSTEM)
    assert list(ServingHost.objects.values_list("name", flat=True)) == ["new"]
