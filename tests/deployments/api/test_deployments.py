from __future__ import annotations

from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from apps.accounts import actions as accounts
from apps.accounts.kinds import kind_of
from apps.accounts.models import ObjectKind
from apps.audit.models import Event
from apps.core.actor import Level, Scope, system_actor
from apps.deployments.models import Deployment, Following, Instance, Revision
from apps.registry.models import Alias, ModelVersion
from tests.api import call, names
from tests.deployments.making import (
    add_revision,
    fresh,
    make_deployment,
    make_host,
    ready_deployment,
    servable,
)
from tests.personas import People, token_for
from tests.registry.models import make_model, make_version

pytestmark = pytest.mark.django_db


def create(people: People, expect: int = 201, **body: Any) -> Any:
    return call(people.ada, "POST", "deployments/", {"name": "flowers", **body}, expect=expect)


def test_a_new_one_of_a_version(people: People) -> None:
    servable(people.ada)
    make_host()
    config = {"instances": 2, "memory_mb": 512}
    made = create(people, version="models:/iris/1", description="Irises.", config=config, port=5099, stages=["None"])
    assert (made["name"], made["team"], made["owner"], made["description"]) == ("flowers", "forge", "ada", "Irises.")
    assert (made["model"], made["model_team"], made["revision"], made["version"]) == ("iris", "forge", 1, 1)
    assert (made["state"], made["is_serving"], made["routes"], made["canaries"]) == ("pending", False, [], [])
    assert made["message"] == "Revision 1 (version 1) is about to be built."
    assert (made["path"], made["port"], made["port_host"]) == ("/serve/flowers/invocations", 5099, "127.0.0.1")
    assert (made["config"]["instances"], made["config"]["memory_mb"], made["config"]["timeout_s"]) == (2, 512, 60)
    assert (made["stages"], made["follows"], made["proposed_version"]) == (["None"], "fixed", None)
    assert call(people.vera, "GET", "deployments/flowers/") == made
    assert call(people.vera, "GET", "deployments/FLOWERS") == made
    assert Event.objects.get(code="deployment.created").object_name == "flowers"


@pytest.mark.parametrize(
    ("body", "number"),
    [
        ({"version": 1, "model": "iris"}, 1),
        ({"version": "2", "model": "iris", "model_team": "forge"}, 2),
        ({"version": "models:/iris/2"}, 2),
        ({"version": "models:/iris@champion"}, 1),
        ({"version": "models:/iris/staging"}, 2),
        ({"version": "models:/iris/latest"}, 3),
        ({"version": "models:/iris"}, 3),
    ],
)
def test_a_version_is_named_in_many_ways(people: People, body: Any, number: int) -> None:
    first, second = servable(people.ada), servable(people.ada)
    servable(people.ada)
    Alias.objects.create(model=first.model, name="champion", version=first)
    ModelVersion.objects.filter(pk=second.pk).update(stage="Staging")
    assert create(people, **body)["version"] == number


def test_without_a_version_production_goes_before_the_newest(people: People) -> None:
    first = servable(people.ada)
    servable(people.ada)
    ModelVersion.objects.filter(pk=first.pk).update(stage="Production")
    assert create(people, version="models:/iris")["version"] == 1


def test_one_that_follows_a_stage(people: People) -> None:
    servable(people.ada)
    made = create(people, version="models:/iris/1", follows="stage", followed="Production", follow_mode="apply")
    assert (made["follows"], made["followed"], made["follow_mode"]) == ("stage", "Production", "apply")


@pytest.mark.parametrize(
    ("body", "said", "status"),
    [
        ({}, "version: This field is required", 400),
        ({"version": "models:/iris/1", "name": "Iris"}, "small letters", 400),
        ({"version": "models:/iris/1", "name": "hosts"}, "kept for pages", 400),
        ({"version": "models:/iris/1", "name": ""}, "small letters", 400),
        ({"version": "models:/iris/1", "nmae": "x"}, "nmae: Unknown", 400),
        ({"version": "1"}, "model: name the registered model", 400),
        ({"version": "one", "model": "iris"}, "neither a number nor an address", 400),
        ({"version": "runs:/0/model"}, "neither a number nor an address", 400),
        ({"version": "models:/iris/1", "model": "iris"}, "names its model already", 400),
        ({"version": "1", "model_team": "forge"}, "name the model of that team", 400),
        ({"version": "models:/iris/9"}, "not found", 404),
        ({"version": "models:/none/1"}, "not found", 404),
        ({"version": "models:/iris@nobody"}, "alias nobody not found", 400),
        ({"version": "models:/iris/1\u0000"}, "Null characters", 400),
        ({"version": "models:/iris/1", "config": {"cpu": 1}}, "cpu", 400),
        ({"version": "models:/iris/1", "config": {"cpu": None}}, "there is no 'cpu'", 400),
        ({"version": "models:/iris/1", "config": {"workers": "many"}}, "workers", 400),
        ({"version": "models:/iris/1", "config": {"workers": 0}}, "workers", 400),
        ({"version": "models:/iris/1", "config": {"env_vars": {"LD_PRELOAD": "x"}}}, "LD_PRELOAD", 400),
        ({"version": "models:/iris/1", "config": [1]}, "config: Expected a dictionary", 400),
        ({"version": "models:/iris/1", "follows": "stage", "followed": "None"}, "can be followed", 400),
        ({"version": "models:/iris/1", "follows": "alias"}, "name the alias", 400),
        ({"version": "models:/iris/1", "follows": "moon"}, "follows", 400),
        ({"version": "models:/iris/1", "stages": ["Shipped"]}, "no stage", 400),
        ({"version": "models:/iris/1", "stages": ["Production"]}, "Ask for its promotion", 409),
        ({"version": "models:/iris/1", "port": 80}, "1024", 400),
        ({"version": "models:/iris/1", "port": 5001, "port_host": "mill"}, "no IP address", 400),
        ({"version": "models:/iris/1", "port_open": True}, "no port to open", 400),
        ({"version": "models:/broken/1"}, "names no files", 400),
        ([], "dictionary", 400),
    ],
)
def test_bad_input_makes_nothing(people: People, body: Any, said: str, status: int) -> None:
    servable(people.ada)
    make_version(people.ada, make_model(people.ada, "broken"))
    sent = {"name": "flowers", **body} if isinstance(body, dict) else body
    answer = call(people.ada, "POST", "deployments/", sent, expect=status)
    assert said in answer["message"]
    assert not Deployment.objects.exists()


def test_names_and_ports_are_taken_once(people: People) -> None:
    make_deployment(people.ada, "flowers", version=servable(people.ada))
    servable(people.cleo, "tides")
    body = {"name": "flowers", "version": "models:/tides/1"}
    assert "unique on the site" in call(people.cleo, "POST", "deployments/", body, expect=400)["message"]
    Deployment.objects.update(port=5001)
    with_port = {"name": "tides", "version": "models:/tides/1", "port": 5001}
    assert "5001" in call(people.cleo, "POST", "deployments/", with_port, expect=400)["message"]


def test_others_make_none_of_it(people: People) -> None:
    servable(people.ada)
    body = {"name": "flowers", "version": "models:/iris/1"}
    call(people.vera, "POST", "deployments/", body, expect=403)
    call(people.cleo, "POST", "deployments/", body, expect=404)
    named = {"name": "flowers", "version": "1", "model": "iris", "model_team": "forge"}
    call(people.cleo, "POST", "deployments/", named, expect=404)


def test_scopes(people: People) -> None:
    ready_deployment(people.ada)
    body = {"description": "x"}
    for scope in Scope:
        owner = people.root if scope is Scope.METRICS else people.ada
        headers = {"authorization": f"Bearer {token_for(owner.user, scope)}"}
        reads = people.ada.request("GET", "/api/v1/deployments/iris/", **headers).status_code
        writes = people.ada.request("PATCH", "/api/v1/deployments/iris/", body, **headers).status_code
        assert reads == (200 if scope in (Scope.ALL, Scope.READ) else 403), scope
        assert writes == (200 if scope is Scope.ALL else 403), scope


def test_lists_are_narrowed(people: People) -> None:
    make_host()
    ready_deployment(people.ada, "iris-a")
    other = ready_deployment(people.ada, "tides-b", version=servable(people.ada, "tides-of-spring"))
    make_deployment(people.ada, "iris-c", version=servable(people.ada))
    add_revision(people.ada, other, canary=True)

    def listed(**query: Any) -> list[Any]:
        return names(call(people.vera, "GET", "deployments/", query), "name")

    assert listed() == ["iris-c", "tides-b", "iris-a"]
    assert listed(state="ready") == ["tides-b", "iris-a"]
    assert listed(state="pending") == ["iris-c"]
    assert (listed(text="IRIS"), listed(text="of-SPR")) == (["iris-c", "iris-a"], ["tides-b"])
    assert listed(name="Iris-A") == ["iris-a"]
    assert listed(model="tides-of-spring") == ["tides-b"]
    assert (listed(team="harbour"), listed(team="forge", model="none")) == ([], [])
    assert (listed(model="iris", version=2), listed(version=1)) == (["iris-c"], ["tides-b", "iris-a"])
    assert names(call(people.cleo, "GET", "deployments/"), "name") == []
    for query in ({"state": "fine"}, {"version": "x"}, {"page_size": 0}, {"version": 2**40}):
        call(people.vera, "GET", "deployments/", query, expect=400)


def test_pages_of_a_list(people: People) -> None:
    for number in range(3):
        make_deployment(people.ada, f"iris-{number}")
    first = call(people.ada, "GET", "deployments/", {"page_size": 2, "state": "pending"})
    token = first["next_page_token"]
    last = call(people.ada, "GET", "deployments/", {"page_size": 2, "state": "pending", "page_token": token})
    assert (names(first, "name"), names(last, "name")) == (["iris-2", "iris-1"], ["iris-0"])
    assert last["next_page_token"] is None


def test_what_was_granted_is_listed_and_read(people: People) -> None:
    ready_deployment(people.ada)
    call(people.cleo, "GET", "deployments/iris/", expect=404)
    target = kind_of(ObjectKind.DEPLOYMENT).find(system_actor(), str(Deployment.objects.get().pk), Level.MANAGE)
    accounts.give_grant(system_actor(), target=target, to=people.cleo.user, level=Level.READ)
    assert names(call(people.cleo, "GET", "deployments/"), "name") == ["iris"]
    call(people.cleo, "PATCH", "deployments/iris/", {"description": "x"}, expect=403)


def test_changes(people: People) -> None:
    ready_deployment(people.ada)
    changed = call(people.ben, "PATCH", "deployments/iris/", {"description": "Flowers."})
    assert changed["description"] == "Flowers."
    rules = {"follows": "alias", "followed": "champion", "stages": ["Production", "Staging"]}
    call(people.ben, "PATCH", "deployments/iris/", rules, expect=403)
    changed = call(people.max, "PATCH", "deployments/iris/", rules)
    assert (changed["followed"], changed["stages"]) == ("champion", ["Production", "Staging"])
    changed = call(people.max, "PATCH", "deployments/iris/", {"follow_mode": "apply", "port": 5001})
    assert (changed["followed"], changed["follow_mode"], changed["port"]) == ("champion", "apply", 5001)
    assert changed["stages"] == ["Production", "Staging"]
    opened = call(people.max, "PATCH", "deployments/iris/", {"port_open": True, "port_host": "192.0.2.7"})
    assert (opened["port_open"], opened["port_host"]) == (True, "192.0.2.7")
    closed = call(people.max, "PATCH", "deployments/iris/", {"port": None})
    assert (closed["port"], closed["port_host"], closed["port_open"]) == (None, "127.0.0.1", False)
    fixed = call(people.max, "PATCH", "deployments/iris/", {"follows": "fixed"})
    assert (fixed["follows"], fixed["followed"]) == ("fixed", "")
    codes = set(Event.objects.values_list("code", flat=True))
    assert {"deployment.changed", "deployment.port_opened", "deployment.port_closed"} <= codes


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"config": {"workers": 2}}, "config: Unknown"),
        ({"name": "other"}, "name: Unknown"),
        ({"follows": "stage"}, "can be followed"),
        ({"follows": "fixed", "followed": "x"}, "followed"),
        ({"description": "x", "port": 80}, "1024"),
        ({"port": "many"}, "port"),
    ],
)
def test_bad_changes_change_nothing(people: People, body: Any, said: str) -> None:
    before = call(people.ada, "GET", f"deployments/{ready_deployment(people.ada).name}/")
    assert said in call(people.ada, "PATCH", "deployments/iris/", body, expect=400)["message"]
    assert call(people.ada, "GET", "deployments/iris/") == before


def test_deleting_wants_it_stopped_first(people: People) -> None:
    ready_deployment(people.ada)
    call(people.ben, "DELETE", "deployments/iris/", expect=403)
    assert "stop it" in call(people.max, "DELETE", "deployments/iris/", expect=409)["message"]
    stopped = call(people.ben, "POST", "deployments/iris/stop/", {"reason": "Enough."})
    assert (stopped["state"], stopped["message"]) == ("stopped", "1 instance of it is still ending.")
    assert "still ending" in call(people.max, "DELETE", "deployments/iris/", expect=409)["message"]
    Instance.objects.update(state="ended", ended_ms=1)
    call(people.max, "DELETE", "deployments/iris/", expect=204)
    call(people.max, "GET", "deployments/iris/", expect=404)
    call(people.max, "DELETE", "deployments/iris/", expect=404)
    assert Event.objects.get(code="deployment.stopped").note == "Enough."


def test_statements_do_not_grow(people: People, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    for number in range(5):
        deployment = ready_deployment(people.ada, f"iris-{number}")
        add_revision(people.ada, deployment, canary=True)
        Deployment.objects.filter(pk=deployment.pk).update(
            follows=Following.STAGE, followed="Production", proposed=servable(people.ada)
        )
    call(people.ada, "GET", "deployments/")
    with django_assert_num_queries(3):
        assert len(call(people.ada, "GET", "deployments/")["results"]) == 5
    with django_assert_num_queries(6):
        call(people.ada, "GET", "deployments/", {"state": "ready"})
    with django_assert_num_queries(3):
        call(people.ada, "GET", "deployments/iris-0/")


def test_what_was_deleted_from_the_registry_is_said(people: People) -> None:
    deployment = ready_deployment(people.ada)
    Revision.objects.update(version=None)
    shown = call(people.ada, "GET", f"deployments/{deployment.name}/")
    assert (shown["model"], shown["version"]) == ("iris", 1)
    again = call(people.ada, "POST", "deployments/iris/deploy/", {}, expect=409)
    assert "was deleted" in again["message"]
    assert fresh(deployment).wanted_id is not None
