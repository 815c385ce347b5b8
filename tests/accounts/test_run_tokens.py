"""The token of a project run: how it lives and ends, and that it is its owner's rights of now, cut down."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.utils import timezone

from apps.accounts import actions, authentication
from apps.accounts.actions import create_run_token
from apps.accounts.kinds import kind_of
from apps.accounts.models import ObjectKind, Token
from apps.audit.models import Event
from apps.core.actor import Level, Role, system_actor
from apps.core.errors import Conflict, InvalidInput, NotFound, PermissionDenied
from apps.experiments import access as experiments
from apps.projects import access as projects
from apps.registry import access as registry
from tests.api import call, names
from tests.experiments.logging import metric
from tests.personas import People, Persona
from tests.projects.making import make_project
from tests.registry.promotion.making import make_model
from tests.run_tokens import Bearer, run_token

INSIDE_A_TEST = 0 if connection.vendor == "postgresql" else 2


@pytest.fixture
def ids(people: People) -> dict[str, str]:
    """Two experiments of Ada's, each with a run."""
    found = {}
    for name in ("own", "other"):
        found[name] = people.ada.call("POST", "experiments/create", {"name": name})["experiment_id"]
        made = people.ada.call("POST", "runs/create", {"experiment_id": found[name]})
        found[f"{name}_run"] = made["run"]["info"]["run_id"]
    return found


@pytest.fixture
def run(people: People, ids: dict[str, str]) -> Bearer:
    return run_token(people.ada, people.forge, ids["own"])


def look(run: Persona, ids: dict[str, str], expect: int = 200, **headers: str) -> Any:
    return run.call("GET", "runs/get", {"run_id": ids["own_run"]}, expect=expect, **headers)


def log(run: Persona, run_id: str, expect: int = 200, step: int = 0) -> None:
    run.call("POST", "runs/log-metric", {"run_id": run_id, **metric(step=step)}, expect=expect)


def test_it_logs_into_its_experiment_and_no_other(run: Bearer, ids: dict[str, str]) -> None:
    log(run, ids["own_run"])
    log(run, ids["other_run"], expect=404)
    found = run.call("POST", "experiments/search", {"max_results": 10})["experiments"]
    assert [each["name"] for each in found] == ["own"]
    both = {"experiment_ids": [ids["own"], ids["other"]]}
    runs = run.call("POST", "runs/search", both)["runs"]
    assert {each["info"]["experiment_id"] for each in runs} == {ids["own"]}


def test_it_ends_with_the_run_at_the_next_call(
    run: Bearer, ids: dict[str, str], django_capture_on_commit_callbacks: Any
) -> None:
    look(run, ids)
    with django_capture_on_commit_callbacks(execute=True):
        actions.revoke_token(system_actor(), token=run.row)
    look(run, ids, expect=401)
    actions.revoke_token(system_actor(), token=run.row)


def test_its_end_leaves_what_is_known_of_others(
    people: People, run: Bearer, ids: dict[str, str], django_capture_on_commit_callbacks: Any
) -> None:
    """Runs end all the time: nobody else is read anew for it."""
    other = run_token(people.ada, people.forge, ids["own"], project_run_id=2)
    look(other, ids)
    look(people.ada, ids)
    before = dict(authentication._kept)
    with django_capture_on_commit_callbacks(execute=True):
        actions.revoke_token(system_actor(), token=run.row)
    look(other, ids)
    look(people.ada, ids)
    assert all(authentication._kept[key] is kept for key, kept in before.items() if key != run.row.key_id)


def test_it_ends_with_its_time(people: People, ids: dict[str, str]) -> None:
    short = run_token(people.ada, people.forge, ids["own"], expires_at=timezone.now() + timedelta(seconds=0.4))
    while Token.objects.live().filter(pk=short.row.pk).exists():
        time.sleep(0.05)
    look(short, ids, expect=401)


def test_it_ends_with_its_owner(
    people: People, run: Bearer, ids: dict[str, str], django_capture_on_commit_callbacks: Any
) -> None:
    look(run, ids)
    with django_capture_on_commit_callbacks(execute=True):
        actions.set_active(system_actor(), user=people.ada.user, is_active=False)
    look(run, ids, expect=401)
    with django_capture_on_commit_callbacks(execute=True):
        actions.set_active(system_actor(), user=people.ada.user, is_active=True)
    look(run, ids)
    with django_capture_on_commit_callbacks(execute=True):
        actions.delete_user(system_actor(), user=people.ada.user)
    look(run, ids, expect=401)
    assert not Token.objects.filter(pk=run.row.pk).exists()


def test_its_owners_rights_are_those_of_now(
    people: People, run: Bearer, ids: dict[str, str], django_capture_on_commit_callbacks: Any
) -> None:
    log(run, ids["own_run"])
    with django_capture_on_commit_callbacks(execute=True):
        actions.set_role(system_actor(), team=people.forge, user=people.ada.user, role=Role.VIEWER)
    look(run, ids)
    log(run, ids["own_run"], expect=403)
    run.call("POST", "registered-models/create", {"name": "m"}, expect=403)
    with django_capture_on_commit_callbacks(execute=True):
        actions.remove_member(system_actor(), team=people.forge, user=people.ada.user)
    look(run, ids, expect=404)
    log(run, ids["own_run"], expect=404)
    assert run.call("POST", "experiments/search", {"max_results": 10}) == {}


def test_whoever_made_it_a_run_manages_nothing(people: People, run: Bearer, ids: dict[str, str]) -> None:
    """Ada made the experiment, the model and the project, and manages them; her run edits them."""
    model, project = make_model(people.ada), make_project(people.ada)
    actor = actor_of(run_token(people.ada, people.forge, ids["own"], project_id=project.pk))
    assert registry.level_of_model(actor, model) is Level.EDIT
    assert projects.level_of_project(actor, project) is Level.EDIT
    with pytest.raises(PermissionDenied):
        experiments.get_experiment(actor, ids["own"], Level.MANAGE)
    with pytest.raises(PermissionDenied):
        experiments.get_run(actor, ids["own_run"], Level.MANAGE)
    for kind, key in ((ObjectKind.REGISTERED_MODEL, str(model.pk)), (ObjectKind.PROJECT, str(project.pk))):
        with pytest.raises(PermissionDenied):
            kind_of(kind).find(actor, kind_of(kind).key_of(int(key)), Level.MANAGE)


def actor_of(run: Bearer) -> Any:
    """As the gate makes it of the token."""
    from django.test import RequestFactory

    return authentication.actor_of_header(RequestFactory().get("/", HTTP_AUTHORIZATION=f"Bearer {run.token}"))


def test_the_run_of_an_administrator_administers_nothing(people: People, ids: dict[str, str]) -> None:
    hers = make_model(people.cleo, "at-sea")
    ours = make_model(people.ada, "on-land")
    run = run_token(people.root, people.harbour, ids["own"])
    actor = actor_of(run)
    assert (actor.is_admin, dict(actor.roles), actor.role_in(people.harbour.pk)) == (False, {}, None)
    log(run, ids["own_run"])
    log(run, ids["other_run"], expect=404)
    assert registry.level_of_model(actor, hers) is Level.EDIT
    assert registry.level_of_model(actor, ours) is Level.NONE
    run.call("GET", "registered-models/get", {"name": "at-sea"})
    run.call("GET", "registered-models/get", {"name": "on-land"}, expect=404)
    # What is nobody's folder is the administrators', and not their runs'.
    artifacts = "/api/2.0/mlflow-artifacts/artifacts"
    assert run.request("GET", artifacts, {"path": ""}).status_code == 403
    assert run.request("GET", f"{artifacts}/projects/1/x.zip").status_code == 403
    with pytest.raises(NotFound):
        projects.get_project_run(actor, 10**6)


def test_the_team_is_the_runs(people: People, run: Bearer, ids: dict[str, str]) -> None:
    actions.add_member(system_actor(), team=people.harbour, user=people.ada.user, role=Role.ADMIN)
    make_model(people.cleo, "at-sea")
    look(run, ids, X_MLFLOW_WORKSPACE="forge")
    look(run, ids, expect=404, X_MLFLOW_WORKSPACE="harbour")
    look(run, ids, expect=404, X_MLFLOW_WORKSPACE="nowhere")
    run.call("GET", "registered-models/get", {"name": "at-sea"}, expect=404)
    assert "registered_models" not in run.call("GET", "registered-models/search")


def test_an_experiment_of_another_team_that_was_granted(people: People, ids: dict[str, str]) -> None:
    target = kind_of(ObjectKind.EXPERIMENT).find(system_actor(), ids["own"], Level.MANAGE)
    actions.give_grant(system_actor(), target=target, to=people.cleo.user, level=Level.EDIT)
    run = run_token(people.cleo, people.harbour, ids["own"])
    log(run, ids["own_run"])
    found = run.call("GET", "experiments/get-by-name", {"experiment_name": "own"})
    assert found["experiment"]["experiment_id"] == ids["own"]
    log(run, ids["other_run"], expect=404)


def test_experiment_0_makes_none(people: People, run: Bearer) -> None:
    from apps.experiments.models import Experiment

    before = Experiment.objects.count()
    run.call("POST", "runs/create", {"experiment_id": "0"}, expect=404)
    run.call("GET", "experiments/get", {"experiment_id": "0"}, expect=404)
    assert Experiment.objects.count() == before


def test_a_run_of_no_experiment_logs_nowhere(people: People, ids: dict[str, str]) -> None:
    run = run_token(people.ada, people.forge, None)
    look(run, ids, expect=404)
    log(run, ids["own_run"], expect=404)
    run.call("POST", "runs/create", {"experiment_id": ids["own"]}, expect=404)
    assert run.call("POST", "experiments/search", {"max_results": 10}) == {}


def test_nobody_sees_rotates_or_revokes_it(people: People, run: Bearer) -> None:
    for who in (people.ada, people.root):
        assert run.row.name not in names(call(who, "GET", "tokens/"), "name")
        call(who, "GET", f"tokens/{run.row.pk}/", expect=404)
        call(who, "POST", f"tokens/{run.row.pk}/rotate/", expect=404)
        call(who, "DELETE", f"tokens/{run.row.pk}/", expect=404)
        assert run.row.name not in who.browser().get("/settings/tokens/").content.decode()
    with pytest.raises(Conflict):
        actions.rotate_token(system_actor(), token=run.row)
    assert Token.objects.get(pk=run.row.pk).is_live


def test_the_admin_pages_say_whose_it_is(people: People, run: Bearer) -> None:
    assert run.row.name in people.root.browser().get("/admin/accounts/token/").content.decode()


def test_only_the_server_makes_one(people: People, ids: dict[str, str]) -> None:
    more: dict[str, Any] = {"user": people.ada.user, "team": people.forge, "experiment_id": 1, "project_run_id": 1}
    end = timezone.now() + timedelta(hours=1)
    for actor in (people.ada.actor, people.root.actor):
        with pytest.raises(PermissionDenied):
            create_run_token(actor, name="x", expires_at=end, **more)
    with pytest.raises(InvalidInput):
        create_run_token(system_actor(), name="x", expires_at=timezone.now(), **more)


@pytest.mark.parametrize(
    "spoilt", [{"scopes": "all"}, {"team_id": None}, {"expires_at": None}, {"project_run_id": None}]
)
def test_the_database_keeps_it_confined(run: Bearer, spoilt: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Token.objects.filter(pk=run.row.pk).update(**spoilt)


def test_pages_take_none(run: Bearer) -> None:
    for path in ("/", "/experiments/", "/settings/tokens/", "/admin/"):
        assert Client().get(path, HTTP_AUTHORIZATION=f"Bearer {run.token}").status_code == 302


def test_what_it_does_is_recorded_as_its_owners_by_this_token(run: Bearer) -> None:
    run.call("POST", "registered-models/create", {"name": "made-by-a-run"})
    event = Event.objects.get(code="registered_model.created", object_name="made-by-a-run")
    assert (event.actor_name, event.via, event.token_id) == ("ada", "token", run.row.pk)
    assert run.row.name == "project run 1"


def test_its_making_and_end_are_the_runs_events(run: Bearer, django_capture_on_commit_callbacks: Any) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        actions.revoke_token(system_actor(), token=run.row)
    assert not Event.objects.filter(code__startswith="token.", object_id=str(run.row.pk)).exists()


def test_it_costs_what_other_tokens_cost(
    people: People, run: Bearer, ids: dict[str, str], django_assert_num_queries: Any
) -> None:
    """Read once with one statement, then not at all; logging is one statement on PostgreSQL for it too."""
    authentication._kept.clear()
    Token.objects.filter(pk=run.row.pk).update(last_used_at=timezone.now())
    with django_assert_num_queries(1):
        actor_of(run)
    with django_assert_num_queries(0):
        actor_of(run)
    for first, who in ((0, people.ada), (2, run)):
        log(who, ids["own_run"], step=first)
        with django_assert_num_queries(1 if connection.vendor == "postgresql" else 3 + INSIDE_A_TEST):
            log(who, ids["own_run"], step=first + 1)
        with django_assert_num_queries(1 if connection.vendor == "postgresql" else 2):
            look(who, ids)
