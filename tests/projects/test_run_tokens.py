"""What a project run may about projects: read itself, start others of its own project, hand on what it was given."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.accounts import actions as accounts
from apps.accounts.models import Token
from apps.core.actor import Role, system_actor
from apps.core.errors import PermissionDenied
from apps.projects import actions
from apps.projects.actions import Fenced
from apps.projects.models import Project, ProjectRun, RunState
from tests.api import call, names
from tests.experiments.logging import metric
from tests.personas import People, Persona
from tests.projects.making import make_project, make_run
from tests.run_tokens import Bearer, run_token


@pytest.fixture
def parent(people: People) -> ProjectRun:
    """A run of Ada's that was given one of two secrets."""
    for name in ("GIVEN", "KEPT"):
        actions.set_secret(people.max.actor, team=people.forge, name=name, value=f"{name} value")
    return make_run(people.ada, make_project(people.ada), secrets=["GIVEN"])


@pytest.fixture
def run(people: People, parent: ProjectRun) -> Bearer:
    return token_of(people, parent)


def token_of(people: People, run: ProjectRun) -> Bearer:
    return run_token(people.ada, people.forge, run.experiment_id, project_run_id=run.pk, project_id=run.project_id)


def start(run: Persona, expect: int = 201, **asks: Any) -> Any:
    """Ask for a run of the first project, which is its own, unless another is named."""
    asks.setdefault("project", str(Project.objects.order_by("pk").values_list("pk", flat=True)[0]))
    return call(run, "POST", "project-runs/", asks, expect=expect)


def test_it_sees_itself_and_what_it_started(people: People, run: Bearer, parent: ProjectRun) -> None:
    beside = make_run(people.ada, parent.project)  # type: ignore[arg-type]
    child = start(run)
    assert call(run, "GET", f"project-runs/{parent.pk}/")["id"] == str(parent.pk)
    assert call(run, "GET", f"project-runs/{child['id']}/")["id"] == child["id"]
    call(run, "GET", f"project-runs/{beside.pk}/", expect=404)
    assert sorted(names(call(run, "GET", "project-runs/"), "id")) == sorted([str(parent.pk), child["id"]])
    # What its child starts is the child's.
    made = ProjectRun.objects.get(pk=child["id"])
    grandchild = start(token_of(people, made))
    call(run, "GET", f"project-runs/{grandchild['id']}/", expect=404)


def test_what_it_starts_is_its_child(run: Bearer, parent: ProjectRun) -> None:
    child = ProjectRun.objects.select_related("run").get(pk=start(run)["id"])
    assert (child.parent_id, child.trigger, child.owner_name) == (parent.pk, "run", "ada")
    assert (child.project_id, child.experiment_id) == (parent.project_id, parent.experiment_id)
    assert parent.run is not None and child.run is not None
    assert child.run.parent_run_id == parent.run.run_id


def test_it_starts_nothing_elsewhere(people: People, run: Bearer, parent: ProjectRun) -> None:
    other = make_project(people.ada, "other")
    elsewhere = people.ada.call("POST", "experiments/create", {"name": "elsewhere"})["experiment_id"]
    start(run, expect=404, experiment_id=elsewhere)
    start(run, expect=403, experiment_name="a new one")
    start(run, expect=404, project=str(other.pk))
    call(run, "GET", f"projects/{other.pk}/", expect=404)
    assert names(call(run, "GET", "projects/"), "id") == [str(parent.project_id)]


def test_the_action_itself_starts_nothing_elsewhere(people: People, run: Bearer, parent: ProjectRun) -> None:
    from apps.projects.asking.submission import Submission
    from tests.accounts.test_run_tokens import actor_of

    assert parent.experiment is not None
    other = make_project(people.ada, "other")
    with pytest.raises(PermissionDenied, match="its own project in its own experiment"):
        actions.submit_run(actor_of(run), submission=Submission(), experiment=parent.experiment, project=other)


def test_it_hands_on_the_secrets_that_it_was_given_and_no_more(run: Bearer) -> None:
    assert ProjectRun.objects.get(pk=start(run, secrets=["GIVEN"])["id"]).secrets == ["GIVEN"]
    said = start(run, expect=403, secrets=["GIVEN", "KEPT"])["message"]
    assert "hands on the secrets that it was given, not KEPT" in said
    call(run, "GET", "secrets/", expect=403)
    call(run, "PUT", "secrets/KEPT/", {"value": "x"}, expect=403)


def test_what_its_project_has_by_default_is_no_way_around(run: Bearer, parent: ProjectRun) -> None:
    Project.objects.update(secrets=["KEPT"])
    start(run, expect=403)
    start(run, secrets=[])


@pytest.mark.parametrize("key", ["schedule-7-1790000000000", "hook-8f14e45f"])
def test_it_takes_no_run_of_a_schedule_or_webhook_of_its_owner(run: Bearer, key: str) -> None:
    """Else what is due would be taken for done already."""
    project = str(Project.objects.values_list("pk", flat=True)[0])
    said = call(run, "POST", "project-runs/", {"project": project}, expect=400, IDEMPOTENCY_KEY=key)["message"]
    assert "the server's own" in said
    call(run, "POST", "project-runs/", {"project": project}, expect=201, IDEMPOTENCY_KEY=f"mine-{key}")


def test_it_cancels_what_it_started_and_not_itself(run: Bearer, parent: ProjectRun) -> None:
    child = start(run)
    call(run, "POST", f"project-runs/{child['id']}/cancel/")
    assert ProjectRun.objects.get(pk=child["id"]).state == RunState.CANCELLED
    call(run, "POST", f"project-runs/{parent.pk}/cancel/", expect=403)
    call(run, "POST", f"project-runs/{parent.pk}/again/", expect=403)


def test_each_attempt_has_its_own_token(
    people: People, parent: ProjectRun, django_capture_on_commit_callbacks: Any
) -> None:
    """What a lost attempt still holds is worth nothing once the next one was given its own, or the run has ended."""
    held = claimed(parent)
    end = timezone.now() + timedelta(hours=1)
    first = Persona(people.ada.user, str(actions.give_token(system_actor(), run=held, expires_at=end)))
    assert parent.run is not None
    value = {"run_id": parent.run.run_id, **metric()}
    first.call("POST", "runs/log-metric", value)
    with django_capture_on_commit_callbacks(execute=True):
        second = Persona(people.ada.user, str(actions.give_token(system_actor(), run=held, expires_at=end)))
    first.call("POST", "runs/log-metric", value, expect=401)
    second.call("POST", "runs/log-metric", value)
    token = Token.objects.get(pk=held.token_id or 0)
    assert (token.name, token.project_run_id, token.experiment_id) == (
        *(f"project run {parent.pk}", parent.pk, parent.experiment_id),
    )
    with django_capture_on_commit_callbacks(execute=True):
        actions.end_attempt(system_actor(), run=held, ending=actions.Ending(RunState.FINISHED, "", 0))
    second.call("POST", "runs/log-metric", value, expect=401)


def test_who_lost_the_run_gives_no_token(people: People, parent: ProjectRun) -> None:
    held = claimed(parent)
    ProjectRun.objects.filter(pk=held.pk).update(fence=held.fence + 1)
    with pytest.raises(Fenced):
        actions.give_token(system_actor(), run=held, expires_at=timezone.now() + timedelta(hours=1))
    assert not Token.objects.filter(project_run_id=held.pk).exists()


def test_the_run_of_somebody_disabled_is_given_none(people: People, parent: ProjectRun) -> None:
    accounts.set_active(system_actor(), user=people.ada.user, is_active=False)
    with pytest.raises(PermissionDenied, match="ada, whose run this is, is disabled or gone"):
        actions.give_token(system_actor(), run=claimed(parent), expires_at=timezone.now() + timedelta(hours=1))


def test_it_starts_nothing_that_its_owner_may_not_any_more(
    people: People, run: Bearer, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        accounts.set_role(system_actor(), team=people.forge, user=people.ada.user, role=Role.VIEWER)
    start(run, expect=403)


def claimed(run: ProjectRun) -> ProjectRun:
    """The run, as a worker has it."""
    system = system_actor()
    more = {"host": "host", "pid": 1, "concurrency": 1, "abilities": {}, "version": ""}
    worker = actions.register_worker(system, name="host-1", queues=[run.queue], **more)  # type: ignore[arg-type]
    held = actions.claim_run(system, worker=worker, queues=[run.queue])
    assert held is not None and held.pk == run.pk
    return held
