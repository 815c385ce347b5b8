from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from apps.audit.models import Event
from apps.core.errors import AlreadyExists, Conflict, DomainError, InvalidInput
from apps.deployments import actions
from apps.deployments.configuration import Config
from apps.deployments.follows import Follow
from apps.deployments.models import Deployment, Following, FollowMode, InstanceState, Revision, RevisionState
from apps.deployments.ports import Port
from tests.deployments.actions.seeing import epoch, last_event, split
from tests.deployments.making import add_revision, fail, fresh, make_deployment, make_instance, servable
from tests.personas import People


def test_a_deployment_begins_with_a_revision_that_nobody_has_made_ready(people: People) -> None:
    version = servable(people.ada)
    before = epoch()
    made = actions.create_deployment(
        people.ada.actor,
        name="iris",
        version=version,
        config=Config(instances=2, memory_mb=512),
        description="Flowers.",
        follow=Follow(Following.STAGE, "Production", FollowMode.APPLY),
        port=Port(5001),
    )
    row = fresh(made)
    assert (row.team_id, row.owner_id, row.model_id) == (people.forge.pk, people.ada.user.pk, version.model_id)
    assert (row.follows, row.followed, row.follow_mode, row.port) == ("stage", "Production", "apply", 5001)
    revision = row.wanted
    assert revision is not None
    assert (revision.number, revision.state, revision.instances_wanted) == (1, RevisionState.PENDING, 2)
    assert revision.config == {"instances": 2, "memory_mb": 512}
    assert not split(row) and epoch() > before
    codes = list(Event.objects.filter(object_kind="deployment").order_by("pk").values_list("code", flat=True))
    assert codes == ["deployment.created", "deployment.revision_deployed"]


@pytest.mark.parametrize("name", ["", "Iris", "-iris", "iris-", "i" * 64, "a b", "a/b", "a\x00", "new", "hosts", "é"])
def test_bad_names(people: People, name: str) -> None:
    with pytest.raises(InvalidInput):
        make_deployment(people.ada, name)


@pytest.mark.parametrize(
    "more",
    [
        {"description": "x" * 10_001},
        {"stages": ["Productive"]},
        {"follow": Follow(Following.STAGE, "None")},
        {"follow": Follow(Following.STAGE, "Nowhere")},
        {"follow": Follow(Following.ALIAS, "")},
        {"follow": Follow(Following.ALIAS, "a\x00")},
        {"follow": Follow(Following.FIXED, "champion")},
        {"port": Port(80)},
        {"port": Port(70_000)},
        {"port": Port(5001, "localhost")},
        {"port": Port(None, is_open=True)},
    ],
)
def test_bad_input_makes_nothing(people: People, more: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        make_deployment(people.ada, **more)
    assert not Deployment.objects.exists() and not Event.objects.filter(object_kind="deployment").exists()


def test_a_name_is_given_once_on_the_site_whatever_its_team(people: People, deployed: Deployment) -> None:
    with pytest.raises(AlreadyExists, match="'iris' already"):
        make_deployment(people.cleo, "iris")


def test_ports_of_the_server_itself_are_not_to_be_had(
    people: People, deployed: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While its database is restarted the port is free: whoever has it then keeps all from working."""
    server = SimpleNamespace(
        PUBLIC_URL="https://slipway.example.org:8443",
        TRACKING_URL="http://10.0.0.7:5050",
        LINK_URL="http://localhost:5000",
        REDIS_URL="redis://127.0.0.1/0",
        DATABASES={"default": {"ENGINE": "django.db.backends.postgresql", "HOST": "db", "PORT": ""}},
    )
    monkeypatch.setattr("apps.deployments.ports.settings", server)
    for number in (8443, 5050, 5000, 6379, 5432):
        with pytest.raises(InvalidInput, match=f"{number} is one of Slipway's own"):
            actions.set_port(people.max.actor, deployment=deployed, port=Port(number))
        with pytest.raises(InvalidInput, match=f"{number} is one of Slipway's own"):
            make_deployment(people.ada, "other", port=Port(number))
    actions.set_port(people.max.actor, deployment=deployed, port=Port(5433))


def test_a_port_is_given_once(people: People, deployed: Deployment) -> None:
    actions.set_port(people.max.actor, deployment=deployed, port=Port(5001))
    with pytest.raises(AlreadyExists, match="port 5001"):
        make_deployment(people.ada, "other", port=Port(5001))
    other = make_deployment(people.ada, "other")
    with pytest.raises(AlreadyExists, match="port 5001"):
        actions.set_port(people.max.actor, deployment=other, port=Port(5001))


def test_a_version_of_another_stage_is_not_deployed(people: People) -> None:
    with pytest.raises(Conflict, match="in Production alone"):
        make_deployment(people.ada, stages=["Production"])


def test_a_prompt_and_a_broken_version_serve_nothing(people: People) -> None:
    with pytest.raises(InvalidInput, match="nothing to serve"):
        make_deployment(people.ada, version=servable(people.ada, folder=""))


def test_who_is_in_no_team_makes_none(people: People) -> None:
    version = servable(people.ada)
    with pytest.raises(DomainError):
        actions.create_deployment(people.cleo.actor.speaking_for(None), name="x", version=version, config=Config())


def test_it_is_described(people: People, deployed: Deployment) -> None:
    actions.describe_deployment(people.ada.actor, deployment=deployed, description="Petals.")
    assert fresh(deployed).description == "Petals."
    event = last_event(deployed)
    assert (event.code, event.before, event.after) == (
        "deployment.changed",
        {"description": ""},
        {"description": "Petals."},
    )
    with pytest.raises(InvalidInput):
        actions.describe_deployment(people.ada.actor, deployment=deployed, description="x" * 10_001)


def test_rules_change_and_forget_what_was_proposed(people: People, deployed: Deployment) -> None:
    version = servable(people.ada)
    Deployment.objects.filter(pk=deployed.pk).update(proposed=version)
    rule = Follow(Following.ALIAS, "champion")
    actions.set_rules(people.max.actor, deployment=deployed, follow=rule, stages=["Staging", "Production", "Staging"])
    row = fresh(deployed)
    assert (row.follows, row.followed, row.proposed_id) == ("alias", "champion", None)
    assert row.stages == ["Production", "Staging"]
    with pytest.raises(InvalidInput):
        actions.set_rules(people.max.actor, deployment=deployed, follow=rule, stages=["x"])


def test_a_port_that_wants_no_token_is_an_event_of_its_own(people: People, deployed: Deployment) -> None:
    before = epoch()
    actions.set_port(people.max.actor, deployment=deployed, port=Port(5001, "0.0.0.0", is_open=True))  # noqa: S104
    assert last_event(deployed).code == "deployment.port_opened" and epoch() > before
    actions.set_port(people.max.actor, deployment=deployed, port=Port())
    assert last_event(deployed).code == "deployment.port_closed"
    assert fresh(deployed).port is None


def test_it_is_stopped_and_started_once(people: People, deployed: Deployment) -> None:
    before = epoch()
    actions.stop_deployment(people.ada.actor, deployment=deployed, reason="Maintenance.")
    assert fresh(deployed).is_stopped and epoch() > before
    assert (last_event(deployed).code, last_event(deployed).note) == ("deployment.stopped", "Maintenance.")
    assert split(deployed) == {1: 100}, "so that it serves the same when it is started"
    count = Event.objects.count()
    actions.stop_deployment(people.ada.actor, deployment=deployed)
    assert Event.objects.count() == count
    actions.start_deployment(people.ada.actor, deployment=deployed)
    assert not fresh(deployed).is_stopped and last_event(deployed).code == "deployment.started"


def test_one_that_failed_is_tried_again_when_it_is_started(people: People, deployed: Deployment) -> None:
    second = fail(add_revision(people.ada, deployed))
    actions.stop_deployment(people.ada.actor, deployment=deployed)
    actions.start_deployment(people.ada.actor, deployment=deployed)
    second.refresh_from_db()
    assert (second.state, second.message) == (RevisionState.PENDING, "")


def test_it_is_deleted_when_nothing_of_it_runs(people: People, deployed: Deployment) -> None:
    with pytest.raises(Conflict, match="stop it before"):
        actions.delete_deployment(people.max.actor, deployment=deployed)
    actions.stop_deployment(people.ada.actor, deployment=deployed)
    with pytest.raises(Conflict, match="1 instances of iris are still ending"):
        actions.delete_deployment(people.max.actor, deployment=deployed)
    for instance in deployed.revisions.get().instances.all():
        instance.state, instance.ended_ms = InstanceState.ENDED, 1
        instance.save()
    actions.delete_deployment(people.max.actor, deployment=deployed)
    assert not Deployment.objects.exists() and not Revision.objects.exists()
    assert Event.objects.filter(code="deployment.deleted", object_name="iris").exists()
    make_deployment(people.cleo, "iris")


def test_one_that_failed_before_it_served_is_deleted_as_it_is(people: People) -> None:
    deployment = make_deployment(people.ada, "bad")
    with pytest.raises(Conflict, match="stop it before"):
        actions.delete_deployment(people.max.actor, deployment=deployment)
    fail(Revision.objects.get(deployment=deployment))
    actions.delete_deployment(people.max.actor, deployment=fresh(deployment))
    assert not Deployment.objects.exists()


def test_one_that_was_deleted_meanwhile_is_not_found(people: People, deployed: Deployment) -> None:
    make_instance(deployed.revisions.get())
    Deployment.objects.filter(pk=deployed.pk).delete()
    with pytest.raises(DomainError, match="No deployment 'iris'"):
        actions.stop_deployment(people.ada.actor, deployment=deployed)
