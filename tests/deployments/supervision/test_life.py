"""The life of a revision, from a version to instances that answer and back."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from apps.audit.models import Event
from apps.core.errors import Conflict
from apps.deployments import actions
from apps.deployments.actions.common import EPOCH
from apps.deployments.configuration import Config
from apps.deployments.models import Deployment, Instance, InstanceState, Revision, RevisionState, ServingEpoch
from apps.notifications.models import Notification
from apps.projects.actions.builds import note_files, note_result
from apps.projects.models import Build, RunState, Worker
from apps.registry.mlmodel import folder_of_version
from apps.registry.models import ModelVersion
from apps.registry.stamps import files_in, stamp_of
from tests.deployments.supervision.conftest import Yard, fresh, wanted, weights
from tests.projects.builds.making import make_model, start
from tests.projects.making import queue
from tests.projects.queue.making import claim, end, make_worker
from tests.registry.gates.test_files import put


def create(yard: Yard, version: ModelVersion) -> Deployment:
    return actions.create_deployment(yard.people.ada.actor, name="iris", version=version, config=Config())


def finish_build(revision: Revision) -> None:
    """As a worker does it."""
    assert revision.version is not None
    held = claim(make_worker())
    assert held is not None and held.pk == revision.build_id
    note_files(run=held, stamp=stamp_of(files_in(folder_of_version(revision.version))), size=10, sha256="1" * 64)
    note_result(run=held, result={"load_ms": 1.0})
    end(held, RunState.FINISHED, code=0)


def fail_build(revision: Revision, message: str) -> None:
    held = claim(make_worker())
    assert held is not None and held.pk == revision.build_id
    end(held, RunState.FAILED, message, 1)


def test_a_built_version_is_served(yard: Yard) -> None:
    deployment = yard.deploy()
    epoch = ServingEpoch.objects.get(pk=EPOCH).number
    yard.settle()
    revision = wanted(deployment)
    assert (revision.state, revision.message) == (RevisionState.READY, "")
    assert weights(deployment) == {1: 100}
    assert ServingEpoch.objects.get(pk=EPOCH).number > epoch
    instance = Instance.objects.get(revision=revision)
    assert (instance.state, instance.host, instance.address) == (
        InstanceState.READY,
        "mill",
        f"unix:/fake/{instance.pk}",
    )
    assert instance.isolation == "separate process" and instance.unenforced == ["cpus: no."]
    assert yard.target.entries[instance.pk].spec.sha256 == revision.sha256 == "0" * 64
    codes = set(Event.objects.filter(object_kind="deployment").values_list("code", flat=True))
    assert {"deployment.revision_ready", "deployment.traffic_shifted"} <= codes


def test_without_a_build_one_is_begun_for_who_deployed_it(yard: Yard) -> None:
    version = make_model(yard.people)
    queue()
    deployment = create(yard, version)
    yard.turn()
    revision = wanted(deployment)
    assert revision.state == RevisionState.BUILDING and revision.build is not None
    assert (revision.build.owner_name, revision.build.state) == ("ada", RunState.QUEUED)
    yard.turn()
    assert "waits for a worker of the queue default: none is alive" in wanted(deployment).message
    make_worker()
    Worker.objects.update(seen_ms=yard.clock.ms)
    yard.turn()
    assert "waits in the queue" in wanted(deployment).message
    finish_build(revision)
    yard.settle()
    assert wanted(deployment).state == RevisionState.READY
    assert Build.objects.count() == 1


def test_a_build_that_goes_on_is_waited_for(yard: Yard) -> None:
    version = make_model(yard.people)
    run = start(yard.people.ben, version)
    deployment = create(yard, version)
    yard.turn()
    assert wanted(deployment).build_id == run.pk


def test_a_build_that_fails_fails_the_revision_and_people_hear_of_it(yard: Yard) -> None:
    version = make_model(yard.people)
    queue()
    deployment = create(yard, version)
    yard.turn()
    fail_build(wanted(deployment), "No module named 'lightgbm'")
    yard.settle()
    revision = wanted(deployment)
    assert revision.state == RevisionState.FAILED and "No module named 'lightgbm'" in revision.message
    assert not Instance.objects.exists()
    told = Notification.objects.filter(user=yard.people.ada.user, topic="deployment.failed")
    assert told.count() == 1


def test_a_rule_whose_owner_is_gone_builds_for_who_keeps_the_team(yard: Yard) -> None:
    version = make_model(yard.people)
    queue()
    deployment = create(yard, version)
    yard.people.ada.user.is_active = False
    yard.people.ada.user.save()
    yard.turn()
    build = wanted(deployment).build
    assert build is not None and build.owner_name == "max"


def test_other_files_are_built_anew(yard: Yard) -> None:
    version = yard.version()
    put(yard.people.ada, version, "data/weights.txt", "3\n")
    deployment = create(yard, version)
    yard.turn()
    assert wanted(deployment).state == RevisionState.BUILDING


def test_a_deleted_version_fails(yard: Yard) -> None:
    deployment = yard.deploy()
    ModelVersion.objects.all().delete()
    yard.settle()
    assert (wanted(deployment).state, wanted(deployment).message) == (
        RevisionState.FAILED,
        "The model version was deleted.",
    )


def test_several_instances_have_places(yard: Yard) -> None:
    deployment = yard.serving(instances=3)
    assert sorted(Instance.objects.alive().values_list("slot", flat=True)) == [0, 1, 2]
    assert weights(deployment) == {1: 100}


def test_it_is_ready_when_all_instances_are(yard: Yard) -> None:
    yard.target.starts = lambda fake: setattr(fake, "is_ready", False)
    deployment = yard.deploy(instances=2)
    yard.pass_time(5)
    revision = wanted(deployment)
    first, second = yard.fakes(revision)
    first.is_ready = True
    yard.pass_time(5)
    assert wanted(deployment).state == RevisionState.STARTING and not weights(deployment)
    second.is_ready = True
    yard.settle()
    assert wanted(deployment).state == RevisionState.READY and weights(deployment) == {1: 100}


def test_the_environment_is_prepared_once(yard: Yard) -> None:
    yard.serving(instances=3)
    assert len(yard.target.preparations) == 1


def test_a_deployment_is_stopped_and_started(yard: Yard) -> None:
    deployment = yard.serving()
    actions.stop_deployment(yard.people.ada.actor, deployment=fresh(deployment))
    yard.settle()
    assert not Instance.objects.alive().exists() and not yard.target.alive()
    assert wanted(deployment).state == RevisionState.STOPPED
    actions.start_deployment(yard.people.ada.actor, deployment=fresh(deployment))
    yard.settle()
    assert wanted(deployment).state == RevisionState.READY and weights(deployment) == {1: 100}
    assert Instance.objects.alive().get().failures == 0


def test_one_that_was_stopped_is_deleted(yard: Yard) -> None:
    deployment = yard.serving()
    actions.stop_deployment(yard.people.ada.actor, deployment=fresh(deployment))
    yard.turn()
    with pytest.raises(Conflict, match="still ending"):
        actions.delete_deployment(yard.people.ada.actor, deployment=fresh(deployment))
    yard.settle()
    actions.delete_deployment(yard.people.ada.actor, deployment=fresh(deployment))
    assert not Instance.objects.exists()
    assert yard.turn() == 0


def test_it_is_scaled_up_and_down(yard: Yard) -> None:
    deployment = yard.serving()
    actions.scale(yard.people.ada.actor, deployment=fresh(deployment), instances=3)
    yard.settle()
    assert Instance.objects.alive().filter(state=InstanceState.READY).count() == 3
    actions.scale(yard.people.ada.actor, deployment=fresh(deployment), instances=1)
    yard.turn()
    assert list(Instance.objects.alive().filter(drain_ms=None).values_list("slot", flat=True)) == [0]
    assert len(yard.target.alive()) == 3, "those that drain get a moment until gateways know"
    yard.settle()
    assert len(yard.target.alive()) == 1


def test_looking_costs_a_constant_number_of_statements(
    yard: Yard, django_assert_max_num_queries: Callable[[int], AbstractContextManager[object]]
) -> None:
    yard.serving("one")
    for name in ("two", "three", "four"):
        yard.serving(name, instances=3)
    yard.clock.go_on(1)
    with django_assert_max_num_queries(12):
        yard.leader.seek()
        yard.leader.tick()
    with django_assert_max_num_queries(4):
        yard.agent.tick()
