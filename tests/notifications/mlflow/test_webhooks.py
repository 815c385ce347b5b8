"""What the differential tests in `tests/contract` don't ask: rights, teams, secrets, bodies that are none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from apps.accounts.models import Membership
from apps.core.actor import Role, Scope
from apps.notifications.models import Webhook
from tests.notifications.hooks import make_hook
from tests.personas import People, Persona, token_for
from tests.receiver import Receiver, receiver

CREATED = {"entity": "MODEL_VERSION", "action": "CREATED"}
BODY = {"name": "ci", "url": "https://8.8.8.8/hook", "events": [CREATED], "secret": "hush-hush"}


@pytest.fixture
def there() -> Iterator[Receiver]:
    with receiver() as running:
        yield running


@pytest.fixture
def chief(people: People) -> Persona:
    """Max, who administers forge."""
    Membership.objects.filter(user=people.max.user).update(role=Role.ADMIN)
    return people.max


def test_it_is_of_the_team_that_the_call_speaks_for(people: People, chief: Persona) -> None:
    chief.call("POST", "webhooks", BODY)
    hook = Webhook.objects.get()
    assert (hook.team, hook.owner, hook.dialect) == (people.forge, chief.user, "mlflow")
    assert people.root.call("GET", "webhooks") == {}
    listed = people.root.call("GET", "webhooks", X_MLFLOW_WORKSPACE="forge")
    assert [shown["webhook_id"] for shown in listed["webhooks"]] == [str(hook.uid)]


def test_no_answer_holds_the_secret(people: People, chief: Persona) -> None:
    made = chief.call("POST", "webhooks", BODY)
    path = f"webhooks/{made['webhook']['webhook_id']}"
    changed = chief.call("PATCH", path, {"secret": "hush-hush-2"})
    assert "hush" not in json.dumps([made, changed, chief.call("GET", path), chief.call("GET", "webhooks")])


def test_only_its_own_dialect_is_found(people: People, chief: Persona) -> None:
    other = make_hook(people, "https://8.8.8.8/hook", dialect="slack")
    chief.call("GET", f"webhooks/{other.uid}", expect=404)
    chief.call("PATCH", "registry-webhooks/update", {"id": str(other.uid)}, expect=404)
    assert chief.call("GET", "webhooks") == {}


def test_members_are_told_that_they_may_not(people: People) -> None:
    people.ben.call("POST", "webhooks", BODY, expect=403)
    people.ben.call("GET", "webhooks", expect=403)


def test_scopes(people: People, chief: Persona) -> None:
    readers = Persona(chief.user, token_for(chief.user, Scope.READ))
    readers.call("GET", "webhooks")
    readers.call("POST", "webhooks", BODY, expect=403)
    Persona(chief.user, token_for(chief.user, Scope.TRACKING)).call("GET", "webhooks", expect=403)


@pytest.mark.parametrize("body", [b"[" * 100_000, b"{", b"null", b"[]", b'{"name": "a\\u0000"}', b'{"events": [1]}'])
def test_bodies_that_are_none(people: People, chief: Persona, body: bytes) -> None:
    for path in ("webhooks", "registry-webhooks/create"):
        assert chief.request("POST", f"/api/2.0/mlflow/{path}", body).status_code == 400


@pytest.mark.parametrize(
    "change", [{"url": "https://[::ffff:10.0.0.1]/"}, {"url": "http://127.0.0.1/"}, {"secret": "ä"}]
)
def test_bad_values_store_nothing(people: People, chief: Persona, change: dict[str, Any]) -> None:
    chief.call("POST", "webhooks", {**BODY, **change}, expect=400)
    assert not Webhook.objects.exists()


def test_the_test_call(people: People, chief: Persona, there: Receiver) -> None:
    made = chief.call("POST", "webhooks", {**BODY, "url": there.url})["webhook"]
    path = f"webhooks/{made['webhook_id']}/test"
    result = chief.call("POST", path)["result"]
    assert result == {"success": True, "response_status": 200, "response_body": "thank you"}
    assert json.loads(there.got[0].body)["data"]["name"] == "example_model"
    alias = {"entity": "MODEL_VERSION_ALIAS", "action": "CREATED"}
    chief.call("POST", path, {"event": alias})
    assert json.loads(there.got[1].body)["entity"] == "model_version_alias"
    chief.call("PATCH", f"webhooks/{made['webhook_id']}", {"url": "http://127.0.0.1:1/"})
    result = chief.call("POST", path)["result"]
    assert (result["success"], "refused" in result["error_message"]) == (False, True)


@pytest.mark.parametrize("count", [1, 10])
def test_the_list_costs_two_statements(
    people: People, chief: Persona, django_assert_num_queries: DjangoAssertNumQueries, count: int
) -> None:
    for _ in range(count):
        make_hook(people, "https://8.8.8.8/hook", dialect="mlflow", events=["model_version.created"])
    chief.call("GET", "webhooks")
    with django_assert_num_queries(2):
        chief.call("GET", "webhooks")
