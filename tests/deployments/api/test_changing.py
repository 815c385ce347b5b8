"""What is done with versions and traffic of a deployment, over the API."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from apps.audit.models import Event
from apps.deployments.models import Deployment, Following, Instance, Revision, RevisionState
from apps.registry.models import ModelVersion
from tests.api import call, names
from tests.deployments.making import add_revision, fail, follow, fresh, make_ready, ready_deployment, servable
from tests.personas import People
from tests.registry.models import make_model

pytestmark = pytest.mark.django_db
AT = "deployments/iris/"


def test_another_version_is_a_revision(people: People) -> None:
    ready_deployment(people.ada)
    servable(people.ada)
    made = call(people.ben, "POST", f"{AT}deploy/", {"version": "2", "reason": "Better."}, expect=201)
    assert (made["number"], made["version"], made["state"], made["is_wanted"]) == (2, 2, "pending", True)
    assert (made["weight"], made["owner"], made["reason"], made["is_canary"]) == (0, "ben", "Better.", False)
    shown = call(people.vera, "GET", AT)
    assert (shown["revision"], [route["revision"] for route in shown["routes"]]) == (2, [1])
    assert Event.objects.filter(code="deployment.revision_deployed").latest("pk").note == "Better."


def test_another_configuration_is_one_of_the_same_version(people: People) -> None:
    ready_deployment(people.ada)
    body = {"config": {"workers": 2, "memory_mb": 512, "env_vars": {"A": "1"}}}
    first = call(people.ben, "POST", f"{AT}deploy/", body, expect=201)
    assert (first["version"], first["config"]["workers"], first["config"]["env_vars"]) == (1, 2, {"A": "1"})
    again = call(people.ben, "POST", f"{AT}deploy/", {"config": {"memory_mb": None, "cpus": 1.5}}, expect=201)
    more = call(people.ben, "POST", f"{AT}deploy/", {"config": {"env_vars": {"B": "2"}}}, expect=201)
    assert more["config"]["env_vars"] == {"A": "1", "B": "2"}
    fewer = call(people.ben, "POST", f"{AT}deploy/", {"config": {"env_vars": {"A": None}}}, expect=201)
    assert fewer["config"]["env_vars"] == {"B": "2"}
    kept = again["config"] | {"env_vars": {"B": "2"}}
    assert (kept["workers"], kept["memory_mb"], kept["cpus"]) == (2, None, 1.5)
    assert call(people.vera, "GET", AT)["config"] == kept


def test_a_canary_from_its_first_percent_to_all(people: People) -> None:
    ready_deployment(people.ada)
    servable(people.ada)
    made = call(people.ben, "POST", f"{AT}deploy/", {"version": "models:/iris/2", "canary": True}, expect=201)
    assert (made["is_canary"], made["is_wanted"]) == (True, False)
    assert "not ready" in shift(people, {"1": 90, "2": 10}, expect=409)["message"]
    make_ready(Revision.objects.get(number=2), 0)
    shown = shift(people, {"1": 90, "2": 10})
    assert [(each["revision"], each["weight"]) for each in shown["routes"]] == [(1, 90), (2, 10)]
    assert [each["revision"] for each in shown["canaries"]] == [2]
    done = shift(people, {"2": 100})
    assert (done["revision"], len(done["routes"]), done["canaries"]) == (2, 1, [])


def shift(people: People, weights: Any, expect: int = 200) -> Any:
    return call(people.ben, "POST", f"{AT}shift/", {"weights": weights, "reason": "A step."}, expect=expect)


def test_a_canary_is_ended(people: People) -> None:
    deployment = ready_deployment(people.ada)
    assert "no canary" in call(people.ben, "POST", f"{AT}end-canary/", expect=409)["message"]
    make_ready(add_revision(people.ada, deployment, canary=True), 0)
    shift(people, {"1": 50, "2": 50})
    ended = call(people.ben, "POST", f"{AT}end-canary/", {"reason": "Slow."})
    assert ([route["revision"] for route in ended["routes"]], ended["canaries"]) == ([1], [])
    make_ready(add_revision(people.ada, deployment, canary=True), 0)
    make_ready(add_revision(people.ada, deployment, canary=True), 0)
    assert "several" in call(people.ben, "POST", f"{AT}end-canary/", expect=409)["message"]
    assert len(call(people.ben, "POST", f"{AT}end-canary/", {"revision": 3})["canaries"]) == 1
    assert "no canary" in call(people.ben, "POST", f"{AT}end-canary/", {"revision": 1}, expect=409)["message"]


def test_rolling_back(people: People) -> None:
    deployment = ready_deployment(people.ada)
    assert "no earlier revision" in call(people.ben, "POST", f"{AT}rollback/", expect=409)["message"]
    make_ready(add_revision(people.ada, deployment))
    back = call(people.ben, "POST", f"{AT}rollback/", {"reason": "Wrong answers."})
    assert (back["number"], back["is_wanted"]) == (1, True)
    assert Event.objects.get(code="deployment.rolled_back").note == "Wrong answers."
    assert call(people.ben, "POST", f"{AT}rollback/", {"revision": 2})["number"] == 2
    call(people.ben, "POST", f"{AT}rollback/", {"revision": 9}, expect=404)


def test_one_that_failed_is_tried_again(people: People) -> None:
    deployment = ready_deployment(people.ada)
    assert "did not fail" in call(people.ben, "POST", f"{AT}retry/", expect=409)["message"]
    fail(add_revision(people.ada, deployment))
    assert call(people.ben, "GET", AT)["state"] == "degraded"
    again = call(people.ben, "POST", f"{AT}retry/", {"revision": 2})
    assert (again["number"], again["state"], again["message"]) == (2, "pending", "")


def test_proposals_are_accepted_or_dismissed(people: People) -> None:
    deployment = ready_deployment(people.ada)
    call(people.max, "PATCH", AT, {"follows": "stage", "followed": "Production"})
    for number in (2, 3):
        version = servable(people.ada)
        ModelVersion.objects.filter(pk=version.pk).update(stage="Production")
        assert follow(deployment)
        assert call(people.vera, "GET", AT)["proposed_version"] == number
        if number == 2:
            assert call(people.ben, "POST", f"{AT}dismiss/", {"reason": "Not yet."})["proposed_version"] is None
    accepted = call(people.ben, "POST", f"{AT}accept/", {"canary": True}, expect=201)
    assert (accepted["version"], accepted["is_canary"]) == (3, True)
    for path in ("accept/", "dismiss/"):
        assert "Nothing is proposed" in call(people.ben, "POST", AT + path, expect=409)["message"]


def test_scaling_stopping_and_starting(people: People) -> None:
    ready_deployment(people.ada)
    scaled = call(people.ben, "POST", f"{AT}scale/", {"instances": 3})
    assert (scaled["config"]["instances"], scaled["routes"][0]["instances_wanted"]) == (3, 3)
    assert call(people.ben, "POST", f"{AT}stop/")["state"] == "stopped"
    assert call(people.ben, "POST", f"{AT}stop/")["is_stopped"] is True
    assert call(people.ben, "POST", f"{AT}start/")["is_stopped"] is False


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        ("deploy/", {"version": "x"}, "neither a number"),
        ("deploy/", {"verison": "1"}, "verison: Unknown"),
        ("deploy/", {"model": "iris"}, "a number is wanted"),
        ("deploy/", {"config": {"workers": 65}}, "workers"),
        ("deploy/", {"canary": "perhaps"}, "canary"),
        ("deploy/", {"reason": "x" * 1001}, "reason"),
        ("shift/", {}, "weights"),
        ("shift/", {"weights": {}}, "weights"),
        ("shift/", {"weights": {"1": 99}}, "100 together"),
        ("shift/", {"weights": {"one": 100}}, "no number of a revision"),
        ("shift/", {"weights": {"1": 101}}, "weights"),
        ("shift/", {"weights": {"1": -1}}, "weights"),
        ("shift/", {"weights": {"01": 50, "1": 50}}, "named twice"),
        ("shift/", {"weights": {"7": 100}}, "no revision 7"),
        ("rollback/", {"revision": 0}, "revision"),
        ("rollback/", {"to": 1}, "to: Unknown"),
        ("scale/", {}, "instances"),
        ("scale/", {"instances": 0}, "stop the deployment"),
        ("scale/", {"instances": 65}, "from 1 to 64"),
        ("scale/", {"instances": 10**30}, "instances"),
        ("stop/", {"reason": 7, "why": "x"}, "why: Unknown"),
    ],
)
def test_bad_input_changes_nothing(people: People, path: str, body: Any, said: str) -> None:
    deployment = ready_deployment(people.ada)
    events = Event.objects.count()
    assert said in call(people.ben, "POST", AT + path, body, expect=400)["message"]
    assert (Event.objects.count(), Revision.objects.count()) == (events, 1)
    assert fresh(deployment).wanted_id == deployment.wanted_id


def test_a_version_of_another_model_wants_its_own_deployment(people: People) -> None:
    ready_deployment(people.ada)
    servable(people.ada, "tides")
    body = {"version": "models:/tides/1"}
    assert "its own deployment" in call(people.ben, "POST", f"{AT}deploy/", body, expect=409)["message"]
    call(people.ben, "POST", f"{AT}deploy/", {"version": "9"}, expect=404)


def test_names_are_looked_up_where_the_model_is(people: People) -> None:
    ready_deployment(people.ada)
    make_model(people.root, "iris")
    made = call(people.root, "POST", f"{AT}deploy/", {"version": "models:/iris/1"}, expect=201)
    assert (made["version"], Deployment.objects.get().team) == (1, people.forge)


@pytest.mark.parametrize("path", ["deploy", "rollback", "retry", "shift", "end-canary", "accept", "dismiss", "scale"])
def test_wrong_verbs_and_no_such_deployment(people: People, path: str) -> None:
    ready_deployment(people.ada)
    call(people.ben, "GET", f"{AT}{path}/", expect=405)
    call(people.ben, "POST", f"deployments/none/{path}/", expect=404)


def test_revisions(people: People, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    deployment = ready_deployment(people.ada)
    for _ in range(3):
        add_revision(people.ada, deployment)
    Revision.objects.filter(number=3).update(state=RevisionState.FAILED, message="It does not load.", version=None)
    call(people.vera, "GET", f"{AT}revisions/")
    with django_assert_num_queries(2):
        listed = call(people.vera, "GET", f"{AT}revisions/", {"page_size": 3})
    assert (names(listed, "number"), names(listed, "is_wanted")) == ([4, 3, 2], [True, False, False])
    more = call(people.vera, "GET", f"{AT}revisions/", {"page_size": 3, "page_token": listed["next_page_token"]})
    assert (names(more, "number"), names(more, "weight"), names(more, "instances_ready")) == ([1], [100], [1])
    third = call(people.vera, "GET", f"{AT}revisions/3/")
    assert (third["state"], third["message"], third["is_deleted"]) == ("failed", "It does not load.", True)
    for path in ("revisions/9/", f"revisions/{10**9}/"):
        call(people.vera, "GET", AT + path, expect=404)
    call(people.cleo, "GET", f"{AT}revisions/", expect=404)
    call(people.vera, "DELETE", f"{AT}revisions/1/", expect=405)


def test_instances(people: People, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    deployment = ready_deployment(people.ada)
    make_ready(add_revision(people.ada, deployment), 0)
    old = Instance.objects.order_by("pk")[0]
    Instance.objects.filter(pk=old.pk).update(state="ended", ended_ms=5, exit_code=3, message="It was too big.\nlast")
    call(people.vera, "GET", f"{AT}instances/")
    with django_assert_num_queries(2):
        listed = call(people.vera, "GET", f"{AT}instances/")
    assert (names(listed, "revision"), names(listed, "state")) == ([2, 1], ["ready", "ended"])
    assert not {"key", "handle", "address"} & set(listed["results"][0])
    assert names(call(people.vera, "GET", f"{AT}instances/", {"alive": "true"}), "revision") == [2]
    assert names(call(people.vera, "GET", f"{AT}instances/", {"alive": "false"}), "exit_code") == [3]
    assert names(call(people.vera, "GET", f"{AT}instances/", {"revision": 2}), "host") == ["mill"]
    call(people.vera, "GET", f"{AT}instances/", {"revision": "x"}, expect=400)
    assert call(people.vera, "GET", f"{AT}instances/{old.pk}/")["message"] == "It was too big.\nlast"
    call(people.vera, "GET", f"{AT}instances/{old.pk + 100}/", expect=404)
    call(people.cleo, "GET", f"{AT}instances/{old.pk}/", expect=404)
    other = ready_deployment(people.ada, "other", version=servable(people.ada))
    call(people.vera, "GET", f"deployments/{other.name}/instances/{old.pk}/", expect=404)


def test_following_is_left_alone_by_other_changes(people: People) -> None:
    deployment = ready_deployment(people.ada)
    call(people.max, "PATCH", AT, {"follows": "alias", "followed": "champion"})
    call(people.ben, "PATCH", AT, {"description": "x"})
    assert fresh(deployment).follows == Following.ALIAS
