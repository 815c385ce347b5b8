"""Who was granted a project of another team starts runs of it, and decides nothing about the runs of others."""

from __future__ import annotations

from typing import Any

import pytest

from apps.accounts import actions as accounts
from apps.accounts.kinds import kind_of
from apps.accounts.models import ObjectKind
from apps.core.actor import Level, system_actor
from apps.projects import actions
from apps.projects.models import Project
from tests.api import call
from tests.personas import People, Persona
from tests.projects.making import make_project

ELSEWHERE = {"source_kind": "git", "source_uri": "https://1.1.1.1/hers.git"}


@pytest.fixture
def project(people: People) -> Project:
    """Ada's, whose runs are given a secret."""
    for name in ("GIVEN", "KEPT"):
        actions.set_secret(people.max.actor, team=people.forge, name=name, value=f"{name} value")
    return make_project(people.ada, secrets=["GIVEN"])


def grant(to: Persona, project: Project, level: Level) -> None:
    target = kind_of(ObjectKind.PROJECT).find(system_actor(), str(project.pk), Level.MANAGE)
    accounts.give_grant(system_actor(), target=target, to=to.user, level=level)


def change(who: Persona, project: Project, expect: int, **given: Any) -> Any:
    return call(who, "PATCH", f"projects/{project.pk}/", given, expect=expect)


def state(project: Project) -> Any:
    return Project.objects.values("source_uri", "env_vars", "secrets", "queue", "experiment").get(pk=project.pk)


@pytest.mark.parametrize(
    "given", [ELSEWHERE, {"env_vars": {"HTTPS_PROXY": "http://hers"}}, {"secrets": ["KEPT"]}, {"secrets": []}]
)
def test_it_is_not_theirs_what_runs_of_others_begin_with(people: People, project: Project, given: Any) -> None:
    """The nightly run of a member would run their program, with the member's rights and the team's secrets."""
    grant(people.cleo, project, Level.EDIT)
    grant(people.vera, project, Level.EDIT)
    before = state(project)
    for who in (people.cleo, people.vera):
        assert "is changed by members of its team" in change(who, project, 403, **given)["message"]
    assert state(project) == before
    change(people.ben, project, 200, **given)


def test_on_the_pages_neither(people: People, project: Project) -> None:
    grant(people.cleo, project, Level.EDIT)
    before = state(project)
    form = {"address": "https://1.1.1.1/hers.git", "version": "", "subfolder": ""}
    for page, data in (("source/", form), ("settings/", {"queue": "default", "secrets": "KEPT"})):
        said = people.cleo.browser().post(f"/projects/forge/iris/{page}", data)
        assert said.status_code in (403, 422), (page, said.status_code)
    assert state(project) == before


def test_who_manages_it_decides_but_not_on_secrets(people: People, project: Project) -> None:
    grant(people.cleo, project, Level.MANAGE)
    change(people.cleo, project, 200, **ELSEWHERE)
    assert "runs of its members" in change(people.cleo, project, 403, secrets=["GIVEN", "KEPT"])["message"]
    change(people.cleo, project, 200, secrets=[])
