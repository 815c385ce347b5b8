"""Webhooks that start runs of projects: through the outbox, as their owner, once."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import RequestFactory
from django.utils import timezone

from apps.accounts import actions as accounts
from apps.accounts.authentication import actor_of_header
from apps.accounts.models import Membership
from apps.audit.models import Event
from apps.core.actor import Actor, Role, system_actor
from apps.core.errors import InvalidInput, PermissionDenied
from apps.notifications import outbox
from apps.notifications.access import Place
from apps.notifications.actions import HookChange, change_webhook, create_webhook, publish, redeliver
from apps.notifications.jobs import MAX_EVENT
from apps.notifications.models import Delivery, DeliveryState, Webhook
from apps.projects.actions import claim_run, give_token
from apps.projects.models import Project, ProjectRun, Quota
from tests.notifications.happenings import happening
from tests.personas import People, Persona
from tests.projects.making import make_project, make_run, make_worker
from tests.run_tokens import run_token

MOVED = {
    "event": "model_version.stage_changed",
    "facts": {"name": "iris-model", "version": "2", "from_stage": "None", "to_stage": "Staging", "comment": "go"},
}


@pytest.fixture
def chief(people: People) -> Persona:
    """Max, who administers forge."""
    Membership.objects.filter(user=people.max.user).update(role=Role.ADMIN)
    return people.max


@pytest.fixture
def project(people: People) -> Project:
    return make_project(people.ada)


def make_job(people: People, by: Persona, project: Project, *, dialect: str = "generic", **more: Any) -> Webhook:
    words = ["model_version.stage_changed"] if dialect == "generic" else ["MODEL_VERSION_TRANSITIONED_STAGE"]
    change = HookChange(**{"name": "retrain", "job": str(project.pk), "events": words, **more})
    return create_webhook(by.actor, place=Place(people.forge.pk, "forge"), dialect=dialect, change=change)


def happen(people: People, **more: Any) -> None:
    publish(people.ada.actor, happening=happening(people, **{**MOVED, **more}))


def make_due() -> None:
    Delivery.objects.filter(state=DeliveryState.PENDING).update(
        next_at=timezone.now() - timedelta(seconds=1), claimed_until=None
    )
    Webhook.objects.update(rests_until=None)


@pytest.mark.parametrize("dialect", ["generic", "databricks"])
def test_an_event_starts_a_run_with_what_happened(
    people: People, chief: Persona, project: Project, dialect: str
) -> None:
    make_job(people, chief, project, dialect=dialect, job_entry_point="check")
    happen(people)
    outbox.send_due()
    run, delivery = ProjectRun.objects.get(), Delivery.objects.get()
    assert (run.owner, run.trigger, run.entry_point) == (chief.user, "webhook", "check")
    assert (run.params["model"], run.params["version"]) == ("iris-model", "2")
    # The entry point declares no stage.
    assert "stage" not in run.params
    assert json.loads(run.params["event"]) == json.loads(delivery.payload)
    assert run.trigger_note.endswith("of iris-model 2")
    assert (delivery.state, delivery.status, json.loads(delivery.answer)["run_id"]) == ("delivered", 200, run.pk)
    assert outbox.send_due() == 0
    assert Event.objects.get(code="project_run.queued").actor_name == "max"


def test_an_entry_point_that_declares_nothing_is_given_the_event_alone(
    people: People, chief: Persona, project: Project
) -> None:
    make_job(people, chief, project)
    happen(people)
    outbox.send_due()
    assert set(ProjectRun.objects.get().params) == {"event"}


def test_a_delivery_starts_one_run_however_often_it_is_claimed(
    people: People, chief: Persona, project: Project
) -> None:
    make_job(people, chief, project)
    happen(people)
    outbox.send_due()
    # As if the sender had been killed before it wrote down that it was done.
    Delivery.objects.update(state=DeliveryState.PENDING, claimed_until=None, finished_at=None)
    outbox.send_due()
    assert ProjectRun.objects.count() == 1
    assert Delivery.objects.get().state == DeliveryState.DELIVERED


def test_sending_it_again_starts_another(people: People, chief: Persona, project: Project) -> None:
    make_job(people, chief, project)
    happen(people)
    outbox.send_due()
    redeliver(chief.actor, delivery=Delivery.objects.get())
    outbox.send_due()
    assert ProjectRun.objects.count() == 2


def test_it_starts_nothing_once_its_owner_may_not(people: People, chief: Persona, project: Project) -> None:
    other = make_project(people.cleo, "other")
    hook = make_job(people, chief, project)
    Webhook.objects.filter(pk=hook.pk).update(job=str(other.pk))
    happen(people)
    outbox.send_due()
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.error) == ("failed", "Permission denied: max may not start runs of other.")
    accounts.set_active(people.root.actor, user=chief.user, is_active=False)
    Webhook.objects.filter(pk=hook.pk).update(job=str(project.pk))
    redeliver(people.root.actor, delivery=delivery)
    outbox.send_due()
    assert "may no longer" in Delivery.objects.first().error  # type: ignore[union-attr]
    assert not ProjectRun.objects.exists()


def test_a_project_that_is_gone_ends_the_delivery(people: People, chief: Persona, project: Project) -> None:
    make_job(people, chief, project)
    happen(people)
    project.delete()
    outbox.send_due()
    assert Delivery.objects.get().error == "The project that this webhook starts is gone."
    assert Delivery.objects.get().state == DeliveryState.FAILED


def test_a_full_queue_is_tried_again(people: People, chief: Persona, project: Project) -> None:
    make_run(people.ada, project)
    quota = Quota.objects.create(team=people.forge, max_queued=1)
    make_job(people, chief, project)
    happen(people)
    outbox.send_due()
    assert Delivery.objects.get().state == DeliveryState.PENDING
    assert ProjectRun.objects.count() == 1
    quota.delete()
    make_due()
    outbox.send_due()
    assert Delivery.objects.get().state == DeliveryState.DELIVERED
    assert ProjectRun.objects.count() == 2


def test_a_long_event_is_cut_and_stays_json(people: People, chief: Persona, project: Project) -> None:
    make_job(people, chief, project)
    happen(people, facts={**MOVED["facts"], "comment": "x" * 60_000, "tags": {f"k{n}": "v" * 300 for n in range(99)}})  # type: ignore[dict-item]
    outbox.send_due()
    event = ProjectRun.objects.get().params["event"]
    assert len(event) <= MAX_EVENT
    assert json.loads(event)["type"] == "model_version.stage_changed"


def test_who_may_not_start_runs_makes_no_such_webhook(people: People, chief: Persona) -> None:
    project = make_project(people.cleo, "other")
    with pytest.raises(PermissionDenied):
        make_job(people, people.vera, make_project(people.ada))
    with pytest.raises(Exception, match="No project"):
        make_job(people, chief, project)


def test_a_webhook_calls_or_starts(people: People, chief: Persona, project: Project) -> None:
    for more, why in (
        ({"url": "https://8.8.8.8/"}, "not both"),
        ({"secret": "hush"}, "not both"),
        ({"job": None}, "wants a URL"),
        ({"job_entry_point": "none"}, "none"),
        ({"events": ["project_run.ended"]}, "without end"),
    ):
        with pytest.raises(InvalidInput, match=why):
            make_job(people, chief, project, **more)
    with pytest.raises(InvalidInput, match="call URLs alone"):
        change = HookChange(name="x", job=str(project.pk), events=["registered_model.created"])
        create_webhook(chief.actor, place=Place(people.forge.pk, "forge"), dialect="mlflow", change=change)


def test_whoever_changes_the_job_answers_for_it(people: People, chief: Persona, project: Project) -> None:
    hook = make_job(people, chief, project)
    other = make_project(people.ada, "other")
    changed = change_webhook(people.root.actor, webhook=hook, change=HookChange(job=f"forge/{other.name}"))
    assert (changed.owner_id, changed.job) == (people.root.user.pk, str(other.pk))
    told = Event.objects.get(code="webhook.changed")
    assert told.after is not None and told.after["job"] == str(other.pk)


def actor_of(persona: Persona) -> Actor:
    """What the server makes of somebody's token."""
    return actor_of_header(RequestFactory().get("/", HTTP_AUTHORIZATION=f"Bearer {persona.token}"))


def test_what_a_run_does_that_a_webhook_started_starts_nothing_by_webhook(
    people: People, chief: Persona, project: Project
) -> None:
    """It would start itself again and again: a run that registers a version, by a hook on versions."""
    make_job(people, chief, project)
    call = HookChange(name="chat", url="https://1.1.1.1/", events=["model_version.stage_changed"])
    create_webhook(chief.actor, place=Place(people.forge.pk, "forge"), dialect="generic", change=call)
    happen(people)
    outbox.send_due()
    system, worker = system_actor(), make_worker()
    held = claim_run(system, worker=worker, queues=["default"])
    assert held is not None and held.trigger == "webhook"
    soon = timezone.now() + timedelta(hours=1)
    hooked = actor_of(Persona(chief.user, str(give_token(system, run=held, expires_at=soon))))
    before = Delivery.objects.count()
    publish(hooked, happening=happening(people, **MOVED))
    assert [delivery.webhook.name for delivery in Delivery.objects.order_by("pk")[before:]] == ["chat"]
    by_hand = run_token(people.ada, people.forge, None, project_run_id=held.pk + 1)
    publish(actor_of(by_hand), happening=happening(people, **MOVED))
    assert {delivery.webhook.name for delivery in Delivery.objects.order_by("pk")[before + 1 :]} == {"chat", "retrain"}


def test_nor_does_what_such_a_run_starts(people: People, chief: Persona, project: Project) -> None:
    make_job(people, chief, project)
    happen(people)
    outbox.send_due()
    parent = ProjectRun.objects.get()
    ProjectRun.objects.filter(pk=parent.pk).update(state="finished")
    child = make_run(people.ada, project)
    ProjectRun.objects.filter(pk=child.pk).update(parent=parent)
    system, soon = system_actor(), timezone.now() + timedelta(hours=1)
    held = claim_run(system, worker=make_worker(), queues=["default"])
    assert held is not None and held.pk == child.pk
    hooked = actor_of(Persona(people.ada.user, str(give_token(system, run=held, expires_at=soon))))
    assert hooked.confined is not None and hooked.confined.is_by_hook
