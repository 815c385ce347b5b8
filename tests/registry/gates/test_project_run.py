"""The gate that asks for a green project run, judged by what runs of projects say."""

from __future__ import annotations

from typing import Any

import pytest

from apps.accounts import actions as accounts
from apps.accounts.kinds import kind_of
from apps.accounts.models import ObjectKind
from apps.core.actor import Level, system_actor
from apps.core.errors import InvalidInput
from apps.experiments.actions import now_ms
from apps.projects.models import Project, ProjectRun, RunState
from apps.registry import facts, gates
from apps.registry.models import GateResult, ModelVersion, PromotionRequest
from tests.personas import People
from tests.projects.making import end, make_project, make_run
from tests.registry.gates.cases import PRODUCTION, ask, evaluate, gate, judge, make_version


def verdict(people: People, version: ModelVersion, **params: Any) -> tuple[str, str]:
    (result,) = gates.preview(version, PRODUCTION, [gate("project_run", **{"project": "check", **params})])
    return result.state, result.text


@pytest.fixture
def project(people: People) -> Project:
    return make_project(people.ada, "check")


def about(version: ModelVersion) -> dict[str, str]:
    return {"model": version.model.name, "version": str(version.number)}


def test_it_waits_for_a_run_and_says_where_to_start_one(people: People, project: Project) -> None:
    version = make_version(people.ada, people.forge)
    (result,) = judge(people.ada, version, gate("project_run", project="check", entry_point="check"))
    assert (result.state, result.text) == ("pending", "No run of check has ended that counts")
    assert result.evidence["url"] == "/projects/forge/check/start/?entry_point=check"
    make_run(people.ada, project, entry_point="check", params=about(version))
    assert verdict(people, version)[0] == "pending"


def test_a_green_run_about_the_version_lets_it_pass(people: People, project: Project) -> None:
    version, other = make_version(people.ada, people.forge), make_version(people.ada, people.forge)
    run = end(make_run(people.ben, project, entry_point="check", params=about(version)))
    assert verdict(people, version) == ("passed", f"Run #{run.pk} of check is green")
    assert verdict(people, version, entry_point="check")[0] == "passed"
    assert verdict(people, version, entry_point="main")[0] == "pending"
    assert verdict(people, other)[0] == "pending"
    assert verdict(people, other, about="any")[0] == "passed"


def test_a_model_uri_names_the_version(people: People, project: Project) -> None:
    version = make_version(people.ada, people.forge)
    end(make_run(people.ben, project, params={"model_uri": f"models:/iris/{version.number}"}))
    assert verdict(people, version)[0] == "passed"


def test_the_run_that_made_the_version_is_about_it(people: People, project: Project) -> None:
    version = make_version(people.ada, people.forge)
    run = end(make_run(people.ada, project))
    ModelVersion.objects.filter(pk=version.pk).update(source_run=run.run)
    version.refresh_from_db()
    assert verdict(people, version)[0] == "passed"


def test_the_newest_run_counts(people: People, project: Project) -> None:
    version = make_version(people.ada, people.forge)
    end(make_run(people.ada, project, params=about(version)))
    failing = end(make_run(people.ada, project, params=about(version)), RunState.FAILED)
    state, text = verdict(people, version)
    assert (state, text) == ("failed", f"Run #{failing.pk} of check is not green: failed")
    (result,) = judge(people.ada, version, gate("project_run", project="check"))
    assert result.evidence["url"] == f"/project-runs/{failing.pk}/"
    end(make_run(people.ada, project, params=about(version)))
    assert verdict(people, version)[0] == "passed"


def test_a_cancelled_run_says_nothing(people: People, project: Project) -> None:
    version = make_version(people.ada, people.forge)
    end(make_run(people.ada, project, params=about(version)))
    end(make_run(people.ada, project, params=about(version)), RunState.CANCELLED)
    assert verdict(people, version)[0] == "passed"


def test_a_run_grows_too_old(people: People, project: Project) -> None:
    version = make_version(people.ada, people.forge)
    run = end(make_run(people.ada, project, params=about(version)))
    assert verdict(people, version, max_age_hours=2)[0] == "passed"
    ProjectRun.objects.filter(pk=run.pk).update(ended_ms=now_ms() - 3 * 3_600_000)
    assert verdict(people, version, max_age_hours=2) == ("pending", f"Run #{run.pk} of check is green and too old")


@pytest.mark.parametrize(
    "other",
    [
        {"source_uri": "https://git.example/mine.git"},
        {"source_version": "mine"},
        {"subfolder": "mine"},
        {"kind": "build"},
    ],
)
def test_a_run_of_other_files_says_nothing(people: People, project: Project, other: dict[str, str]) -> None:
    version = make_version(people.ada, people.forge)
    run = end(make_run(people.ada, project, params=about(version)))
    ProjectRun.objects.filter(pk=run.pk).update(**other)
    assert verdict(people, version)[0] == "pending"


def test_a_project_of_another_team_counts_where_it_was_granted(people: People) -> None:
    project = make_project(people.cleo, "check")
    version = make_version(people.ada, people.forge)
    end(make_run(people.cleo, project))
    wanted = {"project": "harbour/check", "about": "any"}
    assert verdict(people, version, **wanted) == ("pending", "The model's team has no project harbour/check")
    target = kind_of(ObjectKind.PROJECT).find(system_actor(), str(project.pk), Level.MANAGE)
    accounts.give_grant(system_actor(), target=target, to=people.forge, level=Level.READ)
    assert verdict(people, version, **wanted)[0] == "passed"


def test_a_model_of_the_same_name_in_another_team_is_another(people: People) -> None:
    project = make_project(people.cleo, "check")
    target = kind_of(ObjectKind.PROJECT).find(system_actor(), str(project.pk), Level.MANAGE)
    accounts.give_grant(system_actor(), target=target, to=people.forge, level=Level.READ)
    version = make_version(people.ada, people.forge)
    end(make_run(people.cleo, project, params=about(version)))
    assert verdict(people, version, project="harbour/check")[0] == "pending"


def test_open_requests_are_judged_again_when_a_run_ends(
    people: People, project: Project, django_capture_on_commit_callbacks: Any
) -> None:
    version = make_version(people.ada, people.forge)
    request = ask(people.ada, version, gate("project_run", project="check"))
    evaluate(request)
    assert GateResult.objects.get(request=request).state == "pending"
    assert PromotionRequest.objects.get(pk=request.pk).stale_ms is None
    with django_capture_on_commit_callbacks(execute=True):
        end(make_run(people.ben, project, params=about(version)))
    assert GateResult.objects.get(request=request).state == "passed"


def test_requests_that_ask_for_no_run_are_left_alone(people: People, project: Project) -> None:
    request = ask(people.ada, make_version(people.ada, people.forge), gate("description"))
    evaluate(request)
    end(make_run(people.ben, project))
    assert PromotionRequest.objects.get(pk=request.pk).stale_ms is None
    assert facts.judge_stale() == 0


def test_many_wishes_cost_as_much_as_one(people: People, project: Project, django_assert_num_queries: Any) -> None:
    version = make_version(people.ada, people.forge)
    for place in range(3):
        end(make_run(people.ada, make_project(people.ada, f"p{place}"), params=about(version)))
        end(make_run(people.ada, project, params=about(version)))
    wanted = [gate("project_run", project=f"p{place}", about="any") for place in range(3)]
    also = gate("project_run", project="check")
    one = [ask(people.ada, version, wanted[0], also)]
    many = [ask(people.ada, make_version(people.ada, people.forge), each, also) for each in wanted]
    for requests in (one, many):
        with django_assert_num_queries(8):
            gates.evaluate_many(requests)


@pytest.mark.parametrize(
    ("params", "why"),
    [
        ({}, "'project' is missing"),
        ({"project": "x", "about": "some"}, "'about' has to be one of this, any"),
        ({"project": "x", "max_age_hours": 0}, "'max_age_hours' has to be a whole number from 1 on"),
        ({"project": "x", "color": "red"}, "no parameter 'color'"),
    ],
)
def test_bad_parameters_are_named(params: dict[str, Any], why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        gate("project_run", **params)


def test_it_says_what_it_demands() -> None:
    wanted = gate("project_run", project="check", entry_point="main", about="any", max_age_hours=24)
    assert gates.describe(wanted) == "the newest run of check is green, entry point main, at most 24 h old"
