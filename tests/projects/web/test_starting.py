from __future__ import annotations

from typing import Any

import pytest

from apps.accounts.actions import give_grant
from apps.accounts.kinds import kind_of
from apps.accounts.models import ObjectKind
from apps.core.actor import Level, system_actor
from apps.experiments.models import Experiment, Param
from apps.projects.models import Project, ProjectRun, Queue, Quota, RunState, Secret
from tests.personas import People
from tests.projects.making import NOW_MS, end, make_experiment, make_project, make_run, queue
from tests.projects.web.test_project_pages import text_of

START = "/projects/forge/iris/start/"


def sent(**more: Any) -> dict[str, Any]:
    """A form as a browser sends it when nothing was touched."""
    plain = {
        "entry_point": "main",
        "param.alpha": "0.5",
        "run_name": "",
        "experiment": "",
        "new_experiment": "",
        "source_version": "",
        "queue": "default",
        "priority": "50",
        "gpus": "0",
        "retries": "0",
        "backoff_s": "10",
    }
    return plain | more


def test_a_run_is_started_with_what_was_filled_in(people: People) -> None:
    make_project(people.ada)
    queue("gpu")
    given = sent(
        **{
            "param.alpha": "0.75",
            "extra.name": ["depth", ""],
            "extra.value": ["3", ""],
            "env_vars.name": ["MODE"],
            "env_vars.value": ["fast"],
            "run_name": "first",
            "queue": "gpu",
            "priority": "70",
            "gpus": "2",
            "retries": "3",
            "retries_failures": "on",
            "seconds": "600",
            "memory_mb": "512",
            "no_network": "on",
            "source_version": "v2",
        }
    )
    answer = people.ben.browser().post(START, given)
    run = ProjectRun.objects.select_related("run", "experiment", "owner").get()
    assert answer["Location"] == f"/project-runs/{run.pk}/"
    assert run.params == {"alpha": "0.75", "depth": "3"}
    assert (run.env_vars, run.queue, run.priority, run.gpus) == ({"MODE": "fast"}, "gpu", 70, 2)
    assert (run.retries, run.retries_failures, run.source_version) == (3, True, "v2")
    assert run.limits == {"seconds": 600, "memory_mb": 512, "network": False}
    assert run.run is not None and run.run.name == "first" and run.run.status == "SCHEDULED"
    assert run.experiment is not None and run.experiment.name == "iris"
    assert run.owner == people.ben.user
    assert dict(Param.objects.filter(run=run.run).values_list("key", "value")) == {"alpha": "0.75", "depth": "3"}


def test_the_form_shows_the_parameters_of_the_entry_point(people: People) -> None:
    make_project(people.ada)
    page = text_of(people.ben, START)
    assert 'name="param.alpha"' in page and 'value="0.5"' in page and "python train.py 0.5" in page
    other = text_of(people.ben, f"{START}?entry_point=check")
    assert 'name="param.model"' in other and "required" in other and 'name="param.alpha"' not in other


def test_where_there_is_no_secret_the_way_to_one_is_said(people: People) -> None:
    make_project(people.ada)
    page = text_of(people.ben, START)
    assert "/settings/secrets/" in page and "The team keeps no secret yet" in page


def test_fields_and_command_follow_what_is_chosen(people: People) -> None:
    make_project(people.ada)
    browser = people.ben.browser()
    fields = browser.post(f"{START}preview/", sent(entry_point="check")).content.decode()
    assert 'name="param.version"' in fields and "<html" not in fields
    only = f"{START}preview/?only=command"
    command = browser.post(only, sent(**{"param.alpha": "a b; rm -rf /"})).content.decode()
    assert "wants a number, not &#x27;a b; rm -rf /&#x27;" in command and "python" not in command
    extra = sent(**{"extra.name": ["x"], "extra.value": ["a b; rm -rf /"]})
    assert "python train.py 0.5 --x &#x27;a b; rm -rf /&#x27;" in browser.post(only, extra).content.decode()
    assert "required" in browser.post(only, sent(entry_point="check")).content.decode()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"param.alpha": "many"}, "wants a number"),
        ({"entry_point": "check"}, "This field is required"),
        ({"entry_point": "nowhere"}, "There is no entry point"),
        ({"priority": "101"}, "less than or equal to 100"),
        ({"retries": "99"}, "less than or equal to 20"),
        ({"queue": "nowhere"}, "Select a valid choice"),
        ({"extra.name": ["", ""], "extra.value": ["x", ""]}, "A value has no name"),
        ({"extra.name": ["a", "a"], "extra.value": ["1", "2"]}, "twice"),
        ({"extra.name": ["$(id)"], "extra.value": ["1"]}, "$(id)"),
        ({"env_vars.name": ["LD_PRELOAD"], "env_vars.value": ["x"]}, "LD_PRELOAD"),
        ({"env_vars.name": ["A-B"], "env_vars.value": ["x"]}, "A-B"),
        ({"seconds": "0"}, "greater than or equal to 1"),
        ({"experiment": "999999"}, "Select a valid choice"),
        ({"secrets": ["NOT_THERE"]}, "NOT_THERE"),
    ],
)
def test_what_is_wrong_is_said(people: People, given: dict[str, Any], said: str) -> None:
    make_project(people.ada)
    Secret.objects.create(team=people.forge, name="KEY", sealed="x", created_ms=1, updated_ms=1)
    answer = people.ben.browser().post(START, sent(**given))
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not ProjectRun.objects.exists()


def test_a_default_is_meant_where_a_field_is_emptied(people: People) -> None:
    make_project(people.ada)
    people.ben.browser().post(START, sent(**{"param.alpha": ""}))
    assert ProjectRun.objects.get().params == {}


def test_a_new_experiment_is_made_and_an_old_one_taken(people: People) -> None:
    make_project(people.ada)
    other = make_experiment(people.ada, "other")
    browser = people.ben.browser()
    browser.post(START, sent(new_experiment="fresh"))
    browser.post(START, sent(experiment=str(other.pk)))
    runs = ProjectRun.objects.order_by("pk").select_related("experiment")
    assert [run.experiment.name for run in runs if run.experiment] == ["fresh", "other"]
    assert browser.post(START, sent(experiment=str(other.pk), new_experiment="x")).status_code == 422


def test_a_refused_start_leaves_no_experiment(people: People) -> None:
    make_project(people.ada)
    Quota.objects.create(team=people.forge, max_queued=0)
    answer = people.ben.browser().post(START, sent(new_experiment="fresh"))
    assert answer.status_code == 422 and "0 runs waiting" in answer.content.decode()
    assert not Experiment.objects.filter(name="fresh").exists() and not ProjectRun.objects.exists()


def test_who_may_not_start(people: People) -> None:
    project = make_project(people.ada)
    assert people.vera.browser().get(START).status_code == 403
    assert people.vera.browser().post(START, sent()).status_code == 403
    assert people.cleo.browser().post(START, sent()).status_code == 404
    assert people.ben.browser().get(f"{START}preview/").status_code == 405
    target = kind_of(ObjectKind.PROJECT).find(system_actor(), str(project.pk), Level.MANAGE)
    give_grant(system_actor(), target=target, to=people.cleo.user, level=Level.READ)
    assert people.cleo.browser().get(START).status_code == 403
    assert not ProjectRun.objects.exists()


def test_a_run_again_begins_as_it_was(people: People) -> None:
    project = make_project(people.ada)
    run = make_run(people.ada, project, params={"alpha": "0.9", "depth": "4"}, env_vars={"MODE": "slow"}, priority=80)
    end(run, RunState.FAILED)
    ProjectRun.objects.filter(pk=run.pk).update(commit="a" * 40)
    browser = people.ben.browser()
    address = browser.get(f"/project-runs/{run.pk}/again/")["Location"]
    assert address == f"{START}?again={run.pk}"
    page = browser.get(address).content.decode()
    for words in ('value="0.9"', 'value="depth"', 'value="4"', 'value="slow"', 'value="80"', "The same files as run"):
        assert words in page
    browser.post(address, sent(**{"param.alpha": "0.1", "same_files": "on"}))
    repeated = ProjectRun.objects.latest("pk")
    assert (repeated.repeats_id, repeated.params) == (run.pk, {"alpha": "0.1"})
    assert repeated.source_version == "a" * 40


def test_a_run_of_another_project_is_not_repeated_here(people: People) -> None:
    make_project(people.ada)
    run = make_run(people.ada, make_project(people.ada, "wine"))
    for key in (run.pk, 999_999, "x"):
        assert people.ben.browser().get(f"{START}?again={key}").status_code == 404


def test_a_run_whose_project_is_gone_can_not_be_repeated(people: People) -> None:
    project = make_project(people.ada)
    run = end(make_run(people.ada, project))
    Project.objects.all().delete()
    assert people.ada.browser().get(f"/project-runs/{run.pk}/again/").status_code == 409


def test_a_project_that_was_not_read_can_be_started_by_name(people: People) -> None:
    make_project(people.ada, document=None, read_ms=None)
    assert "being read" in text_of(people.ben, START)
    given = {name: value for name, value in sent(entry_point="train.py").items() if not name.startswith("param.")}
    people.ben.browser().post(START, given)
    assert ProjectRun.objects.get().entry_point == "train.py"


def test_a_paused_queue_says_so(people: People) -> None:
    make_project(people.ada)
    Queue.objects.create(name="nightly", is_paused=True, created_ms=NOW_MS)
    assert "nightly (paused)" in text_of(people.ben, START)


def test_the_projects_defaults_are_filled_in(people: People) -> None:
    Secret.objects.create(team=people.forge, name="KEY", sealed="x", created_ms=1, updated_ms=1)
    queue("gpu")
    make_project(
        people.ada, queue="gpu", env_vars={"MODE": "fast"}, secrets=["KEY"], limits={"seconds": 77, "network": False}
    )
    page = text_of(people.ben, START)
    for words in ('value="gpu" selected', "Besides MODE of the project", 'value="KEY"', 'placeholder="77"'):
        assert words in page
    people.ben.browser().post(START, sent(queue="gpu", secrets=["KEY"]))
    run = ProjectRun.objects.get()
    assert (run.env_vars, run.limits) == ({"MODE": "fast"}, {"seconds": 77, "network": False})
