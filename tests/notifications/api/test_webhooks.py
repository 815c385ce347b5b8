from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.test import override_settings
from pytest_django import DjangoAssertNumQueries, DjangoCaptureOnCommitCallbacks

from apps.accounts import actions as accounts
from apps.accounts.models import Grant, Membership, ObjectKind
from apps.audit.links import page_of
from apps.audit.models import Event
from apps.core.actor import Level, Role, Scope, system_actor
from apps.core.addresses import Allowed
from apps.core.encryption import unseal
from apps.notifications import access
from apps.notifications.actions import HookChange, change_webhook
from apps.notifications.models import Delivery, Webhook
from apps.registry.models import RegisteredModel
from tests.notifications.hooks import make_hook
from tests.personas import People, Persona, token_for
from tests.receiver import Receiver, receiver
from tests.registry.models import make_model

HOOKS = "/api/v1/webhooks/"
URL = "https://8.8.8.8/hook"
OF_TEAM = {"name": "ci", "url": URL, "events": ["comment.created"], "team": "forge"}
OF_MODEL = {"name": "ci", "url": URL, "events": ["comment.created"], "kind": "registered_model", "object": "iris"}
OF_SITE = {"name": "ci", "url": URL, "events": ["comment.created"]}


@pytest.fixture
def there() -> Iterator[Receiver]:
    with receiver() as running:
        yield running


@pytest.fixture
def max_administers(people: People) -> Persona:
    Membership.objects.filter(user=people.max.user).update(role=Role.ADMIN)
    return people.max


def create(caller: Persona, body: dict[str, Any], expect: int = 201) -> Any:
    answer = caller.request("POST", HOOKS, body)
    assert answer.status_code == expect, answer.content
    return answer.json()


def test_it_is_made_shown_changed_and_deleted(people: People, max_administers: Persona) -> None:
    made = create(max_administers, {**OF_TEAM, "secret": "hush", "authorization": "Bearer x"})
    assert (made["team"], made["owner"], made["dialect"], made["status"]) == ("forge", "max", "generic", "ACTIVE")
    assert (made["has_secret"], made["has_authorization"]) == (True, True)
    path = f"{HOOKS}{made['id']}/"
    assert max_administers.request("GET", path).json() == made
    changed = max_administers.request("PATCH", path, {"status": "DISABLED", "secret": ""}).json()
    assert (changed["status"], changed["has_secret"], changed["url"]) == ("DISABLED", False, URL)
    assert max_administers.request("DELETE", path).status_code == 204
    assert max_administers.request("GET", path).status_code == 404
    assert [event.code for event in Event.objects.filter(object_kind="webhook").order_by("pk")] == [
        "webhook.created",
        "webhook.changed",
        "webhook.deleted",
    ]


def test_the_log_leads_to_its_page(people: People) -> None:
    hook = make_hook(people, URL)
    assert page_of("webhook", str(hook.uid), hook.name) == f"/settings/webhooks/{hook.uid}/"


def test_neither_answers_nor_events_hold_secrets(people: People, max_administers: Persona) -> None:
    body = {**OF_TEAM, "url": f"{URL}/in-the-path", "secret": "hush-hush", "authorization": "Bearer hush-hush"}
    made = create(max_administers, body)
    answers = [max_administers.request("GET", path).content.decode() for path in (HOOKS, f"{HOOKS}{made['id']}/")]
    recorded = str(list(Event.objects.filter(object_kind="webhook").values()))
    assert "hush-hush" not in "".join(answers) + recorded
    assert "in-the-path" not in recorded
    assert unseal(Webhook.objects.get().sealed_secret) == "hush-hush"


def test_who_may_make_which(people: People) -> None:
    make_model(people.ada, "iris")
    met = {
        name: [caller.request("POST", HOOKS, body).status_code for body in (OF_SITE, OF_TEAM, OF_MODEL)]
        for name in ("cleo", "vera", "ben", "max", "ada", "root")
        for caller in [getattr(people, name)]
    }
    assert met == {
        "cleo": [403, 404, 404],
        "vera": [403, 403, 403],
        "ben": [403, 403, 403],
        "max": [403, 403, 201],
        # She made the model.
        "ada": [403, 403, 201],
        # She speaks for another team, and the name is looked up there.
        "root": [201, 201, 404],
    }


def test_one_sees_what_one_manages(people: People, max_administers: Persona) -> None:
    make_model(people.ada, "iris")
    for caller, body in ((people.root, OF_SITE), (max_administers, OF_TEAM), (people.ada, OF_MODEL)):
        create(caller, body)
    model = RegisteredModel.objects.get()
    Grant.objects.create(
        kind=ObjectKind.REGISTERED_MODEL, object_id=model.pk, user=people.cleo.user, level=Level.MANAGE
    )
    names = ("cleo", "vera", "ben", "max", "ada", "root")
    seen = {name: len(getattr(people, name).request("GET", HOOKS).json()["results"]) for name in names}
    assert seen == {"cleo": 1, "vera": 0, "ben": 0, "max": 2, "ada": 1, "root": 3}


def test_who_lost_the_model_loses_its_webhook(
    people: People, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    make_model(people.ada, "iris")
    path = f"{HOOKS}{create(people.ada, OF_MODEL)['id']}/"
    assert people.ada.request("GET", path).status_code == 200
    forge, ada = people.forge, people.ada.user
    with django_capture_on_commit_callbacks(execute=True):
        accounts.set_role(system_actor(), team=forge, user=ada, role=Role.VIEWER)
    assert people.ada.request("GET", path).status_code == 403
    with django_capture_on_commit_callbacks(execute=True):
        accounts.remove_member(system_actor(), team=forge, user=ada)
    assert people.ada.request("GET", path).status_code == 404


@pytest.mark.parametrize(
    "change",
    [
        {"url": "http://127.0.0.1/"},
        {"url": "https://localhost/"},
        {"url": "https://169.254.169.254/latest"},
        {"url": "http://8.8.8.8/"},
        {"url": "file:///etc/passwd"},
        {"url": ""},
        {"url": 3},
        {"events": []},
        {"events": ["nothing.happened"]},
        {"events": "comment.created"},
        {"events": ["comment.created"] * 101},
        {"name": "-"},
        {"name": "x" * 64},
        {"name": "a b"},
        {"dialect": "pigeon"},
        {"dialect": "slack", "secret": "x"},
        {"dialect": "mlflow", "authorization": "x"},
        {"status": "ASLEEP"},
        {"secret": "x\u0000"},
        {"secret": "ä"},
        {"secret": "x" * 1025},
        {"authorization": "x\r\nX: y"},
        {"verify_tls": "perhaps"},
        {"kind": "registered_model"},
        {"object": "iris"},
        {"kind": "registered_model", "object": "iris"},
        {"description": "x" * 5001},
    ],
)
def test_bad_values(people: People, max_administers: Persona, change: dict[str, Any]) -> None:
    create(max_administers, {**OF_TEAM, **change}, expect=400)
    assert not Webhook.objects.exists()


def test_a_change_is_looked_at_as_closely(people: People, max_administers: Persona) -> None:
    path = f"{HOOKS}{create(max_administers, OF_TEAM)['id']}/"
    for change in ({"url": "https://10.0.0.1/"}, {"events": ["x"]}, {"name": ""}, {"name": "-"}):
        assert max_administers.request("PATCH", path, change).status_code == 400
    assert Webhook.objects.get().url == URL


def test_a_token_of_another_scope_does_not_reach(people: People, max_administers: Persona) -> None:
    tracking = Persona(max_administers.user, token_for(max_administers.user, Scope.TRACKING))
    registry = Persona(max_administers.user, token_for(max_administers.user, Scope.REGISTRY))
    assert tracking.request("POST", HOOKS, OF_TEAM).status_code == 403
    assert registry.request("POST", HOOKS, OF_TEAM).status_code == 201


def test_too_many_are_refused(people: People, max_administers: Persona, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.notifications.actions.webhooks.MOST_OF_A_PLACE", 1)
    create(max_administers, OF_TEAM)
    create(max_administers, OF_TEAM, expect=400)


def test_a_test_call_says_what_came_of_it(people: People, max_administers: Persona, there: Receiver) -> None:
    for path, state, status in (("well", "delivered", 200), ("status/503", "failed", 503), ("redirect", "failed", 302)):
        hook = make_hook(people, f"{there.url}/{path}", by=max_administers)
        sent = max_administers.request("POST", f"{HOOKS}{hook.uid}/test/", {"event": "comment.created"}).json()
        assert (sent["state"], sent["status"], sent["is_test"]) == (state, status, True)
    assert Event.objects.filter(code="webhook.tested").count() == 3
    assert max_administers.request("POST", f"{HOOKS}{hook.uid}/test/", {"event": "x"}).status_code == 400


def test_one_test_at_a_time(people: People, max_administers: Persona, there: Receiver) -> None:
    hook = make_hook(people, there.url, by=max_administers)
    cache.add(f"notifications.test.{hook.uid}", 1)
    assert max_administers.request("POST", f"{HOOKS}{hook.uid}/test/").status_code == 429
    cache.clear()
    for _ in range(2):
        assert max_administers.request("POST", f"{HOOKS}{hook.uid}/test/").status_code == 200


def test_a_secret_that_can_not_be_read_is_told(people: People, max_administers: Persona, there: Receiver) -> None:
    hook = make_hook(people, there.url, by=max_administers, secret="hush")
    with override_settings(SECRET_KEY="another key " * 5, SECRET_KEY_FALLBACKS=[]):
        token = Persona(max_administers.user, token_for(max_administers.user))
        answer = token.request("POST", f"{HOOKS}{hook.uid}/test/")
    assert (answer.status_code, "SLIPWAY_SECRET_KEY_FALLBACKS" in answer.json()["message"]) == (409, True)


def test_a_test_call_is_guarded_too(people: People, max_administers: Persona, there: Receiver) -> None:
    hook = make_hook(people, there.url, by=max_administers)
    with override_settings(OUTGOING_ALLOW=Allowed()):
        sent = max_administers.request("POST", f"{HOOKS}{hook.uid}/test/").json()
    assert (sent["state"], sent["status"], there.got) == ("failed", None, [])


def test_deliveries_are_listed_and_sent_again(people: People, max_administers: Persona, there: Receiver) -> None:
    hook = make_hook(people, f"{there.url}/status/500", by=max_administers)
    max_administers.request("POST", f"{HOOKS}{hook.uid}/test/")
    listed = max_administers.request("GET", f"{HOOKS}{hook.uid}/deliveries/").json()["results"]
    assert [(sent["status"], sent["answer"]) for sent in listed] == [(500, "as you like")]
    path = f"/api/v1/deliveries/{listed[0]['id']}/"
    assert max_administers.request("GET", path).json() == listed[0]
    again = max_administers.request("POST", f"{path}redeliver/").json()
    assert (again["state"], again["payload"]) == ("pending", listed[0]["payload"])
    assert max_administers.request("POST", f"/api/v1/deliveries/{again['id']}/redeliver/").status_code == 409
    only = max_administers.request("GET", f"{HOOKS}{hook.uid}/deliveries/", {"state": "pending"}).json()["results"]
    assert len(only) == 1


def test_another_host_does_not_get_the_authorization(people: People, max_administers: Persona) -> None:
    made = create(max_administers, {**OF_TEAM, "authorization": "Bearer x"})
    path = f"{HOOKS}{made['id']}/"
    assert max_administers.request("PATCH", path, {"url": f"{URL}/other"}).json()["has_authorization"]
    assert not max_administers.request("PATCH", path, {"url": "https://1.1.1.1/"}).json()["has_authorization"]


def test_nor_does_one_that_somebody_moved_it_to_meanwhile(people: People) -> None:
    hook = make_hook(people, URL)
    stale = access.get_webhook(people.root.actor, str(hook.uid))
    moved = HookChange(url="https://1.1.1.1/", authorization="Bearer of the new host")
    change_webhook(people.root.actor, webhook=hook, change=moved)
    assert not change_webhook(people.root.actor, webhook=stale, change=HookChange(url=URL)).sealed_authorization


@pytest.mark.parametrize("count", [1, 10])
def test_lists_cost_a_constant_number_of_statements(
    people: People, django_assert_num_queries: DjangoAssertNumQueries, count: int
) -> None:
    for _ in range(count):
        hook = make_hook(people, URL)
        Delivery.objects.create(webhook=hook, event="x", payload="{}")
    people.root.request("GET", HOOKS)
    with django_assert_num_queries(1):
        people.root.request("GET", HOOKS)
    with django_assert_num_queries(2):
        people.root.request("GET", f"{HOOKS}{hook.uid}/deliveries/")


def test_a_model_that_is_deleted_takes_its_webhooks(people: People) -> None:
    from apps.notifications.actions import forget_object

    make_model(people.ada, "iris")
    create(people.ada, OF_MODEL)
    forget_object(people.ada.actor, kind=ObjectKind.REGISTERED_MODEL, object_id=RegisteredModel.objects.get().pk)
    assert not Webhook.objects.exists()
