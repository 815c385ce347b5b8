from __future__ import annotations

import itertools
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.audit.models import Event
from apps.core.actor import system_actor
from apps.core.errors import Conflict, DomainError, InvalidInput, NotSignedIn, PermissionDenied
from apps.experiments import actions as experiments
from apps.experiments.models import Param, Run, RunTag
from apps.projects import actions
from apps.projects.asking.submission import Submission
from apps.projects.models import Archive, ProjectRun, Quota, RunState, Secret, SourceKind
from apps.runtime.limits import Limits
from tests.personas import People, Persona
from tests.projects.making import NOW_MS, make_experiment, make_project, make_run, queue

pytestmark = pytest.mark.django_db

COMMIT = "a" * 40
_numbers = itertools.count()


def submit(who: Persona, project: Any, key: str = "", **asks: Any) -> ProjectRun:
    experiment = project.experiment or make_experiment(who, f"e{next(_numbers)}")
    return actions.submit_run(
        who.actor, submission=Submission(**asks), experiment=experiment, project=project, request_key=key
    )


def archived(people: People) -> Any:
    archive = Archive.objects.create(team=people.forge, digest="d" * 64, bytes=1, files=1, created_ms=NOW_MS)
    return make_project(people.ada, source_kind=SourceKind.ARCHIVE, source_uri="", archive=archive)


def test_a_run_waits_with_a_tracking_run_that_is_scheduled(people: People) -> None:
    run = submit(people.ada, make_project(people.ada), params={"alpha": "0.1"}, run_name="first", priority=70)
    row = ProjectRun.objects.select_related("run").get()
    assert (row.pk, row.state, row.priority, row.owner_name, row.attempt) == (run.pk, RunState.QUEUED, 70, "ada", 0)
    assert row.run is not None
    assert (row.run.status, row.run.name) == ("SCHEDULED", "first")
    assert dict(Param.objects.values_list("key", "value")) == {"alpha": "0.1"}
    tags = dict(RunTag.objects.values_list("key", "value"))
    assert tags["mlflow.project.backend"] == "slipway"
    assert tags["mlflow.source.type"] == "PROJECT"
    assert tags["mlflow.source.name"] == "https://git.example/iris.git"
    assert tags["mlflow.project.entryPoint"] == "main"
    event = Event.objects.get(code="project_run.queued")
    assert (event.actor_name, event.object_id, event.team_id) == ("ada", str(run.pk), people.forge.pk)


def test_it_has_what_the_project_begins_with_unless_it_says_otherwise(people: People) -> None:
    queue("gpu")
    project = make_project(
        people.ada, env_vars={"A": "1", "B": "2"}, limits={"seconds": 60, "memory_mb": 100}, queue="gpu"
    )
    usual = submit(people.ada, project)
    assert (usual.queue, usual.env_vars) == ("gpu", {"A": "1", "B": "2"})
    asked = submit(people.ada, project, queue="default", env_vars={"B": "3"}, limits=Limits(seconds=5))
    assert (asked.queue, asked.env_vars) == ("default", {"A": "1", "B": "3"})
    assert asked.limits == {"seconds": 5, "memory_mb": 100}


BAD: list[tuple[dict[str, Any], str]] = [
    ({"priority": 101}, "priority"),
    ({"retries": 21}, "retries"),
    ({"backoff_s": -1}, "backoff_s"),
    ({"gpus": 65}, "gpus"),
    ({"queue": "nowhere"}, "no queue 'nowhere'"),
    ({"queue": "q" * 64}, "queue"),
    ({"entry_point": "e" * 251}, "entry_point"),
    ({"entry_point": "a\x00b"}, "entry_point"),
    ({"run_name": "n" * 251}, "run_name"),
    ({"params": {f"p{n}": "" for n in range(101)}}, "params: at most 100"),
    ({"params": {"k" * 251: ""}}, "maximum length of 250"),
    ({"params": {"a": "\x00"}}, "params.a"),
    ({"params": {"a": "\ud800"}}, "params.a"),
    ({"params": {"../a": "1"}}, "params.key"),
    ({"params": {f"p{n}": "x" * 5000 for n in range(30)}}, "together"),
    ({"docker_args": {"a": "\x00"}}, "docker_args.a"),
    ({"env_vars": {"PATH": "/bin"}}, "PATH is set by Slipway"),
    ({"env_vars": {"MLFLOW_TRACKING_URI": "http://x"}}, "MLFLOW_TRACKING_URI"),
    ({"env_vars": {"1A": ""}}, "1A"),
    ({"secrets": ["lower"]}, "A secret is named"),
    ({"secrets": ["KEY", "KEY"]}, "named twice"),
    ({"secrets": ["KEY"], "env_vars": {"KEY": "1"}}, "a secret and a variable"),
    ({"secrets": ["MISSING"]}, "MISSING"),
    ({"source_version": "--upload-pack=x"}, "can't be a commit"),
    ({"limits": Limits(seconds=86_401)}, "limits.seconds"),
    ({"limits": Limits(memory_mb=0)}, "limits.memory_mb"),
]


@pytest.mark.parametrize(("asks", "said"), BAD)
def test_what_can_t_be_run_is_refused_before_it_waits(people: People, asks: dict[str, Any], said: str) -> None:
    project = make_project(people.ada)
    experiment = make_experiment(people.ada)
    with pytest.raises(InvalidInput, match=said.replace("(", r"\(")):
        actions.submit_run(people.ada.actor, submission=Submission(**asks), experiment=experiment, project=project)
    assert not ProjectRun.objects.exists()
    assert not Run.objects.exists()


WRONG_VALUES: list[tuple[dict[str, Any], str]] = [
    ({"entry_point": "nothing"}, "no entry point 'nothing'"),
    ({"params": {"alpha": "much"}}, "wants a number"),
    ({"entry_point": "check", "params": {"model": "m"}}, "No value for version, event"),
]


@pytest.mark.parametrize(("asks", "said"), WRONG_VALUES)
def test_values_are_checked_where_the_file_is_sure_to_be_the_one(
    people: People, asks: dict[str, Any], said: str
) -> None:
    with pytest.raises(InvalidInput, match=said):
        submit(people.ada, archived(people), **asks)
    with pytest.raises(InvalidInput, match=said):
        submit(people.ada, make_project(people.ada, "pinned", read_commit=COMMIT, source_version=COMMIT), **asks)
    assert submit(people.ada, make_project(people.ada, "moving", read_commit=COMMIT), **asks).state == RunState.QUEUED


def test_the_entry_point_that_is_meant_is_written_down(people: People) -> None:
    run = submit(people.ada, archived(people), params={"undeclared": "x"})
    assert run.entry_point == "main"


def test_another_archive_is_not_measured_by_the_project_s_file(people: People) -> None:
    other = Archive.objects.create(team=people.forge, digest="e" * 64, bytes=1, files=1, created_ms=NOW_MS)
    run = actions.submit_run(
        people.ada.actor,
        submission=Submission(entry_point="theirs"),
        experiment=make_experiment(people.ada),
        project=archived(people),
        archive=other,
    )
    assert (run.entry_point, run.archive_id) == ("theirs", other.pk)


def test_secrets_are_for_members_of_the_team(people: People) -> None:
    Secret.objects.create(
        team=people.forge, name="KEY", sealed="x", created_ms=NOW_MS, updated_ms=NOW_MS, updated_by="max"
    )
    project = make_project(people.ada)
    assert submit(people.ada, project, secrets=["KEY"]).secrets == ["KEY"]
    with pytest.raises(PermissionDenied):
        submit(people.cleo, project, secrets=["KEY"])


def test_nobody_queues_into_an_experiment_in_the_trash(people: People) -> None:
    project, experiment = make_project(people.ada), make_experiment(people.ada)
    experiments.delete_experiment(people.ada.actor, experiment=experiment)
    experiment.refresh_from_db()
    with pytest.raises(InvalidInput, match="deleted"):
        actions.submit_run(people.ada.actor, submission=Submission(), experiment=experiment, project=project)


def test_runs_are_somebody_s(people: People) -> None:
    with pytest.raises(NotSignedIn):
        actions.submit_run(
            system_actor(),
            submission=Submission(),
            experiment=make_experiment(people.ada),
            project=make_project(people.ada),
        )


def test_asking_twice_under_a_key_queues_once(people: People) -> None:
    project = make_project(people.ada, experiment=make_experiment(people.ada))
    first = submit(people.ada, project, key="k")
    assert submit(people.ada, project, key="k", params={"alpha": "9"}).pk == first.pk
    assert submit(people.ben, project, key="k").pk != first.pk, "keys are each caller's own"
    assert ProjectRun.objects.count() == Run.objects.count() == 2


def test_a_key_is_of_one_project(people: People) -> None:
    experiment = make_experiment(people.ada)
    submit(people.ada, make_project(people.ada, experiment=experiment), key="k")
    with pytest.raises(InvalidInput, match="another project"):
        submit(people.ada, make_project(people.ada, "other", experiment=experiment), key="k")
    with pytest.raises(InvalidInput, match="key"):
        submit(people.ada, make_project(people.ada, "third", experiment=experiment), key="k" * 101)


def test_a_team_has_no_more_waiting_than_its_quota(people: People) -> None:
    Quota.objects.create(team=people.forge, max_queued=2)
    project = make_project(people.ada, experiment=make_experiment(people.ada))
    first, _ = submit(people.ada, project, key="a"), submit(people.ben, project)
    with pytest.raises(Conflict, match="may have 2 runs waiting"):
        submit(people.ada, project)
    assert submit(people.ada, project, key="a").pk == first.pk, "what was queued is told, quota or not"
    submit(people.cleo, make_project(people.cleo, "harbour"))
    actions.cancel_run(people.ada.actor, run=first)
    submit(people.ada, project)


def test_a_child_s_tracking_run_is_its_parent_s_child(people: People) -> None:
    project = make_project(people.ada)
    parent = make_run(people.ada, project)
    assert parent.run is not None and parent.experiment is not None
    child = actions.submit_run(
        people.ada.actor, submission=Submission(), experiment=parent.experiment, project=project, parent=parent
    )
    assert child.run is not None and child.run.parent_run_id == parent.run.run_id


def test_submitting_costs_a_constant_number_of_statements(people: People) -> None:
    project = make_project(people.ada, experiment=make_experiment(people.ada))
    counts = set()
    for params in ({"a": "1"}, {f"p{n}": "x" for n in range(90)}):
        submit(people.ada, project)
        with CaptureQueriesContext(connection) as captured:
            submit(people.ada, project, key=f"k{len(params)}", params=params)
        counts.add(len(captured))
    assert len(counts) == 1
    assert counts.pop() <= 17


def test_what_is_kept_is_what_was_asked() -> None:
    asked = Submission(params={"a": "1"}, limits=Limits(seconds=5, network=False), secrets=[], priority=1)
    assert Submission.from_json(asked.to_json()) == asked
    with pytest.raises(DomainError, match="unknown field"):
        Submission.from_json({"wrong": 1})
