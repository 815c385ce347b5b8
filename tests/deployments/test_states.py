from __future__ import annotations

from pytest_django import DjangoAssertNumQueries

from apps.deployments import actions
from apps.deployments.actions.common import now_ms
from apps.deployments.actions.traffic import set_routes
from apps.deployments.configuration import Config, TargetKind
from apps.deployments.models import Deployment, Instance, InstanceState, Revision, RevisionState, ServingHost
from apps.deployments.selectors.states import DeploymentState, state_of, states_of
from apps.deployments.state_words import StateWord, state_name
from tests.deployments.making import (
    add_revision,
    fail,
    fresh,
    make_deployment,
    make_host,
    make_instance,
    make_ready,
    ready_deployment,
    servable,
    wanted_of,
)
from tests.personas import People

FIRST = "Revision 1 (version 1)"
SECOND = "Revision 2 (version 2)"


def seen(deployment: Deployment) -> DeploymentState:
    return state_of(fresh(deployment))


def said(deployment: Deployment) -> tuple[str, str, bool]:
    found = seen(deployment)
    return found.word.value, found.sentence, found.is_serving


def test_a_new_one_says_how_far_it_has_come(people: People) -> None:
    deployment = make_deployment(people.ada, config=Config(instances=2))
    no_host = f"{FIRST} waits: no host is there that serves. Start slipway serving."
    assert said(deployment) == ("pending", no_host, False)
    make_host()
    assert said(deployment) == ("pending", f"{FIRST} is about to be built.", False)
    revision = wanted_of(deployment)
    Revision.objects.update(state=RevisionState.BUILDING)
    assert said(deployment) == ("building", f"The environment of {FIRST} is being made.", False)
    Revision.objects.update(state=RevisionState.STARTING)
    make_instance(revision)
    assert said(deployment) == ("starting", f"{FIRST} starts: 1 of 2 instances answer.", False)
    Revision.objects.update(state=RevisionState.READY)
    assert said(deployment) == ("starting", f"{FIRST} is ready, and gets its traffic now.", False)
    make_instance(revision)
    set_routes(deployment, {revision: 100})
    assert said(deployment) == ("ready", f"{FIRST} serves.", True)


def test_one_whose_target_nobody_offers_says_so(people: People) -> None:
    make_host()
    deployment = make_deployment(people.ada, config=Config(target=TargetKind.DOCKER))
    nobody = f"{FIRST} waits: no host that is alive offers the target docker."
    assert said(deployment) == ("pending", nobody, False)
    make_host("attic", targets=["process", "docker"])
    assert said(deployment) == ("pending", f"{FIRST} is about to be built.", False)


def test_one_that_fails_says_why(people: People) -> None:
    make_host()
    deployment = make_deployment(people.ada)
    fail(wanted_of(deployment), "The package nothing is missing.\nTraceback …")
    assert said(deployment) == ("failed", f"{FIRST} failed: The package nothing is missing.", False)
    fail(wanted_of(deployment), "")
    assert said(deployment)[1] == f"{FIRST} failed: nobody knows why; its log may tell."


def test_what_served_before_goes_on_meanwhile(people: People) -> None:
    make_host()
    deployment = ready_deployment(people.ada)
    second = add_revision(people.ada, deployment)
    assert said(deployment) == ("pending", f"{SECOND} is about to be built. {FIRST} serves meanwhile.", True)
    fail(second, "It does not load.")
    assert said(deployment) == ("degraded", f"{SECOND} failed: It does not load. {FIRST} serves meanwhile.", True)


def test_an_instance_that_went_by_itself_degrades(people: People) -> None:
    make_host()
    deployment = make_deployment(people.ada, config=Config(instances=2))
    revision = make_ready(wanted_of(deployment))
    Revision.objects.update(message="The instance 1 used too much memory.")
    one = Instance.objects.all()[0]
    Instance.objects.filter(pk=one.pk).update(state=InstanceState.ENDED, ended_ms=1)
    make_instance(revision, InstanceState.STARTING, failures=1)
    lacks = f"1 of 2 instances of {FIRST} answer. The instance 1 used too much memory."
    assert said(deployment) == ("degraded", lacks, True)
    Instance.objects.update(state=InstanceState.UNHEALTHY)
    none = f"No instance of {FIRST} answers now. They are started anew. The instance 1 used too much memory."
    assert said(deployment) == ("unhealthy", none, False)


def test_one_part_that_answers_is_enough_to_be_degraded(people: People) -> None:
    make_host()
    deployment = ready_deployment(people.ada)
    make_ready(add_revision(people.ada, deployment, canary=True), 0)
    actions.shift_traffic(people.ada.actor, deployment=deployment, weights={1: 75, 2: 25})
    Instance.objects.filter(revision__number=1).update(state=InstanceState.UNHEALTHY)
    assert (seen(deployment).word, seen(deployment).is_serving) == ("degraded", True)


def test_more_instances_are_on_their_way(people: People) -> None:
    make_host()
    deployment = ready_deployment(people.ada)
    actions.scale(people.ada.actor, deployment=deployment, instances=2)
    coming = f"1 of 2 instances of {FIRST} answer. The others are starting."
    # Before the supervisor has looked, too.
    assert said(deployment) == ("starting", coming, True)
    make_instance(wanted_of(deployment), InstanceState.STARTING)
    assert said(deployment) == ("starting", coming, True)
    Instance.objects.filter(state=InstanceState.STARTING).update(failures=1)
    assert said(deployment)[0] == "degraded"


def test_an_instance_that_recovered_is_no_failure_of_those_that_start(people: People) -> None:
    make_host()
    deployment = ready_deployment(people.ada)
    Instance.objects.update(failures=3)
    actions.scale(people.ada.actor, deployment=deployment, instances=2)
    make_instance(wanted_of(deployment), InstanceState.STARTING)
    assert said(deployment)[0] == "starting"
    Instance.objects.filter(failures=3).update(state=InstanceState.UNHEALTHY)
    assert said(deployment)[0] == "unhealthy"


def test_what_is_started_anew_starts(people: People) -> None:
    """After it was stopped with its traffic, and after its host was."""
    make_host()
    deployment = ready_deployment(people.ada)
    Instance.objects.update(state=InstanceState.ENDED, ended_ms=1, drain_ms=1)
    starts = f"{FIRST} starts: 0 of 1 instances answer."
    assert said(deployment) == ("starting", starts, False)
    ways = {
        RevisionState.STOPPED: ("pending", f"{FIRST} is about to start again.", False),
        RevisionState.BUILDING: ("building", f"The environment of {FIRST} is being made.", False),
        RevisionState.STARTING: ("starting", starts, False),
    }
    for state, words in ways.items():
        Revision.objects.update(state=state)
        assert said(deployment) == words
    make_instance(wanted_of(deployment), InstanceState.STARTING, failures=1)
    assert said(deployment)[0] == "unhealthy"


def test_what_ended_by_itself_and_is_not_begun_anew_yet_was_lost(people: People) -> None:
    make_host()
    deployment = make_deployment(people.ada, config=Config(instances=2))
    make_ready(wanted_of(deployment))
    later = now_ms() + 60_000
    one = Instance.objects.all()[0]
    Instance.objects.filter(pk=one.pk).update(state=InstanceState.ENDED, ended_ms=later)
    assert said(deployment) == ("degraded", f"1 of 2 instances of {FIRST} answer.", True)
    Instance.objects.update(state=InstanceState.ENDED, ended_ms=later)
    none = f"No instance of {FIRST} answers now."
    assert said(deployment) == ("unhealthy", f"{none} They are started anew.", False)
    ServingHost.objects.all().delete()
    assert said(deployment)[1].startswith(f"{none} {FIRST} waits: no host is there")


def test_what_nobody_can_start_does_not_start(people: People) -> None:
    deployment = ready_deployment(people.ada)
    Instance.objects.update(state=InstanceState.ENDED, ended_ms=1, drain_ms=1)
    assert said(deployment) == (
        "pending",
        f"{FIRST} waits: no host is there that serves. Start slipway serving.",
        False,
    )
    make_host(targets=["docker"])
    nobody = f"{FIRST} waits: no host that is alive offers the target process."
    assert said(deployment) == ("pending", nobody, False)


def test_every_state_has_the_word_that_the_api_says() -> None:
    states = [*StateWord, *RevisionState.values, *InstanceState.values]
    assert {str(state): state_name(state) for state in states} == {str(state): state.capitalize() for state in states}


def test_a_canary_and_its_share(people: People) -> None:
    make_host()
    deployment = ready_deployment(people.ada)
    canary = add_revision(people.ada, deployment, canary=True)
    assert said(deployment) == ("ready", f"{FIRST} serves.", True)
    fail(canary, "It does not load.")
    failed = f"{FIRST} serves. The canary, {SECOND}, failed: It does not load."
    assert said(deployment) == ("ready", failed, True)
    make_ready(canary, 0)
    actions.shift_traffic(people.ada.actor, deployment=deployment, weights={1: 75, 2: 25})
    assert said(deployment) == ("ready", f"Its traffic is split: {FIRST} 75 %, {SECOND} 25 %.", True)
    found = seen(deployment)
    assert [(part.revision.number, part.weight, part.ready) for part in found.serving] == [(1, 75, 1), (2, 25, 1)]
    assert [part.revision.number for part in found.canaries] == [2]


def test_one_that_was_stopped(people: People) -> None:
    make_host()
    deployment = ready_deployment(people.ada)
    actions.stop_deployment(people.ada.actor, deployment=deployment)
    assert said(deployment) == ("stopped", "1 instance of it is still ending.", False)
    Instance.objects.update(state=InstanceState.ENDED, ended_ms=1)
    assert said(deployment) == ("stopped", "Nothing of it runs, and its address answers 503.", False)


def test_a_port_that_can_not_be_had(people: People) -> None:
    make_host()
    deployment = ready_deployment(people.ada)
    Deployment.objects.update(port=5001, port_error="Port 5001 is taken by another program.")
    assert said(deployment) == ("degraded", "Port 5001 is taken by another program.", True)


def test_many_take_two_statements(people: People, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    make_host()
    for number in range(4):
        deployment = ready_deployment(people.ada, f"iris-{number}", version=servable(people.ada, f"iris-{number}"))
        add_revision(people.ada, deployment, canary=True)
    found = list(Deployment.objects.select_related("team", "wanted"))
    with django_assert_num_queries(2):
        states = states_of(found)
    with django_assert_num_queries(3):
        linked = states_of(found, with_versions=True)
        models = [part.revision.version.model.team for each in linked.values() for part in each.parts]  # type: ignore[union-attr]
    assert len(models) == 8
    assert [states[each.pk].word for each in found] == ["ready"] * 4
