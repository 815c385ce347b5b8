from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from pytest_django import DjangoAssertNumQueries

from apps.accounts.models import Membership
from apps.core.actor import Role, Scope
from apps.notifications.models import Webhook
from apps.projects.models import ProjectRun
from tests.notifications.hooks import make_hook
from tests.personas import People, Persona, token_for
from tests.projects.making import make_project
from tests.receiver import Receiver, receiver
from tests.registry.models import make_model

SPEC = {"url": "https://8.8.8.8/hook", "secret": "hush", "authorization": "Bearer hush"}
BODY = {"model_name": "iris", "events": ["COMMENT_CREATED"], "http_url_spec": SPEC}
CREATE, LIST = "registry-webhooks/create", "registry-webhooks/list"


@pytest.fixture
def there() -> Iterator[Receiver]:
    with receiver() as running:
        yield running


@pytest.fixture(autouse=True)
def _model(people: People) -> None:
    make_model(people.ada, "iris")


@pytest.fixture
def chief(people: People) -> Persona:
    """Max, who administers forge."""
    Membership.objects.filter(user=people.max.user).update(role=Role.ADMIN)
    return people.max


def test_one_of_a_model(people: People) -> None:
    made = people.ada.call("POST", CREATE, BODY)["webhook"]
    assert made.items() >= {"model_name": "iris", "events": ["COMMENT_CREATED"], "status": "ACTIVE"}.items()
    assert made["http_url_spec"] == {"url": SPEC["url"], "enable_ssl_verification": True}
    assert people.max.call("GET", LIST, {"model_name": "iris"})["webhooks"] == [made]
    change = {"id": made["id"], "status": "DISABLED", "http_url_spec": {"enable_ssl_verification": False}}
    changed = people.max.call("PATCH", "registry-webhooks/update", change)["webhook"]
    assert (changed["status"], changed["http_url_spec"]["enable_ssl_verification"]) == ("DISABLED", False)
    assert Webhook.objects.get().sealed_secret
    assert people.ada.call("DELETE", f"registry-webhooks/delete?id={made['id']}") == {}
    people.ada.call("DELETE", "registry-webhooks/delete", {"id": made["id"]}, expect=404)


def test_who_may(people: People, chief: Persona) -> None:
    wide = {name: value for name, value in BODY.items() if name != "model_name"}
    met = {}
    for name in ("cleo", "vera", "ben", "ada", "max"):
        caller: Persona = getattr(people, name)
        answers = [caller.request("POST", f"/api/2.0/mlflow/{CREATE}", body) for body in (BODY, wide)]
        met[name] = [answer.status_code for answer in answers]
    assert met == {"cleo": [404, 403], "vera": [403, 403], "ben": [403, 403], "ada": [200, 403], "max": [200, 200]}
    listed = {name: len(getattr(people, name).call("GET", LIST).get("webhooks", [])) for name in met}
    assert listed == {"cleo": 0, "vera": 0, "ben": 0, "ada": 2, "max": 3}
    people.ben.call("GET", LIST, {"model_name": "iris"}, expect=403)
    people.cleo.call("GET", LIST, {"model_name": "iris"}, expect=404)


@pytest.mark.parametrize(
    "change",
    [
        {"events": []},
        {"events": ["NOTHING"]},
        {"events": ["REGISTERED_MODEL_CREATED"]},
        {"status": "ASLEEP"},
        {"http_url_spec": {}},
        {"http_url_spec": None},
        {"http_url_spec": {"url": "https://10.0.0.1/"}},
        {"http_url_spec": {**SPEC, "secret": "x" * 2000}},
        {"http_url_spec": {**SPEC, "authorization": "a\nb"}},
        {"job_spec": {"job_id": "1", "access_token": "x"}},
        {"http_url_spec": None, "job_spec": {"job_id": "1"}},
        {"http_url_spec": "x"},
        {"description": "x" * 5001},
    ],
)
def test_bad_values(people: People, change: dict[str, Any]) -> None:
    people.ada.call("POST", CREATE, {**BODY, **change}, expect=400)
    assert not Webhook.objects.exists()


def test_one_that_starts_a_job(people: People) -> None:
    project = make_project(people.ada)
    job = {"job_id": "forge/iris#check", "access_token": "hush", "workspace_url": settings.LINK_URL}
    made = people.ada.call("POST", CREATE, {**BODY, "http_url_spec": None, "job_spec": job})["webhook"]
    assert made["job_spec"] == {"job_id": f"{project.pk}#check"}
    assert "http_url_spec" not in made
    assert people.ada.call("GET", LIST, {"model_name": "iris"})["webhooks"] == [made]
    change = {"id": made["id"], "job_spec": {"job_id": str(project.pk), "access_token": "hush"}}
    changed = people.ada.call("PATCH", "registry-webhooks/update", change)["webhook"]
    assert changed["job_spec"] == {"job_id": str(project.pk)}
    back = people.ada.call("PATCH", "registry-webhooks/update", {"id": made["id"], "http_url_spec": SPEC})["webhook"]
    assert back["http_url_spec"]["url"] == SPEC["url"] and "job_spec" not in back
    assert (Webhook.objects.get().job, Webhook.objects.get().job_entry_point) == ("", "")


@pytest.mark.parametrize(
    ("job", "status", "why"),
    [
        ({"workspace_url": "https://elsewhere.example"}, 400, "leave it out"),
        ({"job_id": ""}, 400, "job_spec.job_id"),
        ({"access_token": ""}, 400, "job_spec.access_token"),
        ({"job_id": "forge/none"}, 404, "No project"),
        ({"job_id": "99"}, 404, "No project"),
        ({"job_id": "harbour/secret"}, 404, "No project"),
        ({"job_id": "forge/iris#none"}, 400, "none"),
        ({"job_id": "forge/\x00"}, 400, "NUL"),
    ],
)
def test_a_job_that_is_none(people: People, job: dict[str, str], status: int, why: str) -> None:
    make_project(people.ada)
    make_project(people.cleo, "secret")
    given = {"job_id": "forge/iris", "access_token": "x", **job}
    answer = people.ada.call("POST", CREATE, {**BODY, "http_url_spec": None, "job_spec": given}, expect=status)
    assert why in answer["message"]
    assert not Webhook.objects.exists()


def test_a_token_for_the_registry_starts_no_runs(people: People) -> None:
    """A run has a token of its own, with which it logs and starts others: more than such a token may."""
    project = make_project(people.ada)
    body = {**BODY, "http_url_spec": None, "job_spec": {"job_id": str(project.pk), "access_token": "x"}}
    narrow = Persona(people.ada.user, token_for(people.ada.user, Scope.REGISTRY))
    assert "the scope of this token" in narrow.call("POST", CREATE, body, expect=403)["message"]
    hook = narrow.call("POST", CREATE, BODY)["webhook"]["id"]
    job = {"id": hook, "job_spec": body["job_spec"]}
    narrow.call("PATCH", "registry-webhooks/update", job, expect=403)
    both = Persona(people.ada.user, token_for(people.ada.user, Scope.REGISTRY, Scope.PROJECTS))
    both.call("PATCH", "registry-webhooks/update", job)


def test_a_test_starts_a_run(people: People) -> None:
    make_project(people.ada)
    job = {"job_id": "forge/iris", "access_token": "x"}
    made = people.ada.call("POST", CREATE, {**BODY, "http_url_spec": None, "job_spec": job})["webhook"]
    said = people.ada.call("POST", "registry-webhooks/test", {"id": made["id"]})
    run = ProjectRun.objects.get()
    assert said["status_code"] == 200 and json.loads(said["body"])["run_id"] == run.pk
    assert (run.owner, run.trigger, json.loads(run.params["event"])["event"]) == (
        people.ada.user,
        "webhook",
        "COMMENT_CREATED",
    )


@pytest.mark.parametrize(
    "query", [{"max_results": "0x"}, {"max_results": "-1"}, {"page_token": "junk"}, {"events": ["NOTHING"]}]
)
def test_bad_questions(people: People, query: dict[str, Any]) -> None:
    people.ada.call("GET", LIST, query, expect=400)


def test_pages_and_filters(people: People, chief: Persona) -> None:
    for event in ("COMMENT_CREATED", "MODEL_VERSION_CREATED", "MODEL_VERSION_TAG_SET"):
        chief.call("POST", CREATE, {**BODY, "events": [event]})
    first = chief.call("GET", LIST, {"max_results": 2})
    rest = chief.call("GET", LIST, {"max_results": 2, "page_token": first["next_page_token"]})
    assert (len(first["webhooks"]), len(rest["webhooks"]), "next_page_token" in rest) == (2, 1, False)
    # A token leads on in the list that it was made for.
    chief.call("GET", LIST, {"events": ["COMMENT_CREATED"], "page_token": first["next_page_token"]}, expect=400)
    # `_` is no wildcard.
    wanted = {"events": ["MODEL_VERSION_CREATED", "MODEL_VERSION_TAG_SET"]}
    assert len(chief.call("GET", LIST, wanted)["webhooks"]) == 2


def test_the_test_call(people: People, chief: Persona, there: Receiver) -> None:
    made = chief.call("POST", CREATE, {**BODY, "http_url_spec": {"url": there.url}})["webhook"]
    path = "registry-webhooks/test"
    assert chief.call("POST", path, {"id": made["id"]}) == {"status_code": 200, "status": 200, "body": "thank you"}
    chief.call("POST", path, {"id": made["id"], "event": "NOTHING"}, expect=400)
    chief.call("PATCH", "registry-webhooks/update", {"id": made["id"], "http_url_spec": {"url": "http://127.0.0.1:1/"}})
    assert chief.call("POST", path, {"id": made["id"]})["status_code"] == 0


@pytest.mark.parametrize("count", [1, 10])
def test_the_list_costs_a_constant_number_of_statements(
    people: People, chief: Persona, django_assert_num_queries: DjangoAssertNumQueries, count: int
) -> None:
    for _ in range(count):
        chief.call("POST", CREATE, BODY)
        make_hook(people, "https://8.8.8.8/hook", dialect="databricks", events=["COMMENT_CREATED"])
    with django_assert_num_queries(2):
        assert len(chief.call("GET", LIST)["webhooks"]) == 2 * count
