"""Who may name secrets in a run, and what a run is given."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from apps.accounts import actions as accounts
from apps.accounts.kinds import kind_of
from apps.accounts.models import ObjectKind
from apps.audit.models import Event
from apps.core.actor import Level, Role, system_actor
from apps.core.errors import InvalidInput, PermissionDenied
from apps.projects import actions
from apps.projects.models import Project, ProjectRun, Secret
from tests.api import call
from tests.personas import People
from tests.projects.making import make_project, make_run

VALUE = "an-open-sesame-7f3a"


@pytest.fixture
def project(people: People) -> Project:
    actions.set_secret(people.max.actor, team=people.forge, name="S3_KEY", value=VALUE)
    actions.set_secret(people.max.actor, team=people.forge, name="OTHER", value="more")
    return make_project(people.ada)


def fresh(run: ProjectRun) -> ProjectRun:
    return ProjectRun.objects.select_related("team", "owner", "token").get(pk=run.pk)


def test_a_member_names_one_and_its_run_is_given_it(people: People, project: Project) -> None:
    run = fresh(make_run(people.ada, project, secrets=["S3_KEY"]))
    assert actions.secrets_for(run) == {"S3_KEY": VALUE}
    used = dict(Secret.objects.values_list("name", "used_ms"))
    assert used["S3_KEY"] is not None and used["OTHER"] is None


def test_one_without_secrets_is_given_none(people: People, project: Project, django_assert_num_queries: Any) -> None:
    run = fresh(make_run(people.ada, project))
    with django_assert_num_queries(0):
        assert actions.secrets_for(run) == {}


def test_the_same_statements_for_many(people: People, project: Project, django_assert_num_queries: Any) -> None:
    names = [f"KEY_{number}" for number in range(30)]
    for name in names:
        actions.set_secret(people.max.actor, team=people.forge, name=name, value=name)
    for asked in (["S3_KEY"], names):
        run = fresh(make_run(people.ada, project, secrets=asked))
        with django_assert_num_queries(4):
            assert list(actions.secrets_for(run)) == asked


def test_what_a_project_has_is_given_unless_the_run_says_otherwise(people: People, project: Project) -> None:
    project.secrets = ["OTHER"]
    assert make_run(people.ada, project).secrets == ["OTHER"]
    assert make_run(people.ada, project, secrets=[]).secrets == []


def test_others_name_none(people: People, project: Project) -> None:
    """Who was granted the project starts runs of it, and is no member of the team whose secrets they are."""
    target = kind_of(ObjectKind.PROJECT).find(system_actor(), str(project.pk), Level.MANAGE)
    accounts.give_grant(system_actor(), target=target, to=people.cleo.user, level=Level.EDIT)
    experiment = people.cleo.call("POST", "experiments/create", {"name": "hers"})["experiment_id"]
    asked = {"project": str(project.pk), "experiment_id": experiment}
    call(people.cleo, "POST", "project-runs/", asked, expect=201)
    said = call(people.cleo, "POST", "project-runs/", asked | {"secrets": ["S3_KEY"]}, expect=403)["message"]
    assert "the secrets of forge are for runs of its members, and cleo is none" in said


@pytest.mark.parametrize(
    ("asks", "said"),
    [
        ({"secrets": ["NONE"]}, "no secret 'NONE'"),
        ({"secrets": ["S3_KEY", "S3_KEY"]}, "named twice"),
        ({"secrets": ["S3_KEY"], "env_vars": {"S3_KEY": "x"}}, "is a secret and a variable"),
        ({"secrets": [f"S{number}" for number in range(101)]}, "At most 100 secrets"),
        ({"env_vars": {"LD_PRELOAD": "x"}}, "set by Slipway and the system"),
        ({"env_vars": {"mlflow_run_id": "x"}}, "set by Slipway and the system"),
        ({"env_vars": {"A-B": "x"}}, "can't be the name"),
        ({"env_vars": {"A": "\x00"}}, "can't be kept"),
    ],
)
def test_what_can_not_be_given_is_not_queued(people: People, project: Project, asks: Any, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        make_run(people.ada, project, **asks)
    assert not ProjectRun.objects.exists()


def test_who_left_the_team_is_given_nothing(people: People, project: Project) -> None:
    run = make_run(people.ada, project, secrets=["S3_KEY"])
    accounts.set_role(system_actor(), team=people.forge, user=people.ada.user, role=Role.VIEWER)
    with pytest.raises(PermissionDenied, match="ada is none"):
        actions.secrets_for(fresh(run))
    accounts.remove_member(system_actor(), team=people.forge, user=people.ada.user)
    with pytest.raises(PermissionDenied, match="ada is none"):
        actions.secrets_for(fresh(run))
    assert Secret.objects.get(name="S3_KEY").used_ms is None


def test_who_is_disabled_or_gone_is_given_nothing(people: People, project: Project) -> None:
    run = make_run(people.ada, project, secrets=["S3_KEY"])
    accounts.set_active(system_actor(), user=people.ada.user, is_active=False)
    with pytest.raises(PermissionDenied):
        actions.secrets_for(fresh(run))
    accounts.delete_user(system_actor(), user=people.ada.user)
    with pytest.raises(PermissionDenied):
        actions.secrets_for(fresh(run))


def test_one_that_was_deleted_meanwhile_fails_the_run_by_name(people: People, project: Project) -> None:
    run = make_run(people.ada, project, secrets=["S3_KEY"])
    actions.delete_secret(people.max.actor, secret=Secret.objects.select_related("team").get(name="S3_KEY"))
    with pytest.raises(InvalidInput, match="no secret 'S3_KEY'"):
        actions.secrets_for(fresh(run))


def test_no_more_than_a_child_can_be_given(people: People, project: Project) -> None:
    names = [f"BIG_{number}" for number in range(17)]
    for name in names:
        actions.set_secret(people.max.actor, team=people.forge, name=name, value="x" * 64 * 1024)
    run = fresh(make_run(people.ada, project, secrets=names))
    with pytest.raises(InvalidInput, match="1024 KB together"):
        actions.secrets_for(run)


def test_nothing_of_a_value_lies_anywhere(people: People, project: Project, caplog: Any) -> None:
    """Not in a table, not in an event, not in what the API says of the run, not in the log of the server."""
    from django.apps import apps
    from django.core import serializers

    with caplog.at_level(logging.DEBUG):
        run = fresh(make_run(people.ada, project, secrets=["S3_KEY"]))
        actions.secrets_for(run)
        answer = call(people.ada, "GET", f"project-runs/{run.pk}/")
        call(people.max, "PUT", "secrets/PATH/", {"value": VALUE}, expect=400)
    rows = [row for model in apps.get_models() for row in model._default_manager.all()]
    assert VALUE not in serializers.serialize("json", rows)
    assert VALUE not in caplog.text + str(answer)
    events = [str(event.after) + event.note for event in Event.objects.all()]
    assert any("S3_KEY" in said for said in events) and VALUE not in "".join(events)
    secret = Secret.objects.get(name="S3_KEY")
    assert VALUE not in repr(secret) + str(secret)
