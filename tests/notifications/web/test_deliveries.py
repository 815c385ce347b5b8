from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from apps.notifications.models import Delivery, Webhook
from tests.notifications.hooks import make_hook
from tests.personas import People


@pytest.fixture
def hook(people: People) -> Webhook:
    return make_hook(people, "https://hooks.invalid/x")


def sent(hook: Webhook, **more: Any) -> Delivery:
    given = {"webhook": hook, "event": "comment.created", "payload": '{"type":"comment.created"}'}
    return Delivery.objects.create(**{**given, **more})


def log(people: People, hook: Webhook, query: str = "") -> str:
    answer = people.root.browser().get(f"/settings/webhooks/{hook.uid}/{query}", headers={"HX-Request": "true"})
    assert answer.status_code == 200
    return str(answer.content.decode())


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ({}, "waiting"),
        ({"attempts": 2, "status": 500, "error": "answered 500"}, "failed, tried again"),
        ({"state": "delivered", "attempts": 1, "status": 200}, "delivered"),
        ({"state": "failed", "attempts": 9, "error": "the connection was refused"}, "given up"),
        ({"state": "failed", "attempts": 1, "is_test": True, "error": "answered 500"}, "failed"),
    ],
)
def test_where_a_delivery_stands(people: People, hook: Webhook, more: dict[str, Any], word: str) -> None:
    sent(hook, **more)
    assert f">{word}</span>" in log(people, hook)


def test_body_and_answer_are_text(people: People, hook: Webhook) -> None:
    sent(hook, state="delivered", status=200, payload='{"text":"<script>x</script>"}', answer="<b>thanks</b>")
    html = log(people, hook)
    assert "&lt;b&gt;thanks&lt;/b&gt;" in html
    assert "{\n  &quot;text&quot;: &quot;&lt;script&gt;x&lt;/script&gt;&quot;\n}" in html


def test_a_body_that_is_no_json_is_shown_as_it_is(people: People, hook: Webhook) -> None:
    sent(hook, payload="[" * 100_000)
    assert "[[[[" in log(people, hook)


def test_a_finished_one_is_sent_again(people: People, hook: Webhook) -> None:
    old, browser = sent(hook, state="failed", finished_at=timezone.now()), people.root.browser()
    assert browser.post(f"/settings/webhooks/deliveries/{old.pk}/again/").status_code == 302
    again = Delivery.objects.exclude(pk=old.pk).get()
    assert (again.payload, again.state) == (old.payload, "pending")
    assert browser.post(f"/settings/webhooks/deliveries/{again.pk}/again/").status_code == 409
    assert browser.get(f"/settings/webhooks/deliveries/{old.pk}/again/").status_code == 405
    assert browser.post(f"/settings/webhooks/deliveries/{10**25}/again/").status_code == 404


def test_others_send_nothing_again(people: People, hook: Webhook) -> None:
    path = f"/settings/webhooks/deliveries/{sent(hook, state='failed').pk}/again/"
    assert [who.browser().post(path).status_code for who in (people.cleo, people.ben, people.max)] == [404, 403, 403]
    assert Delivery.objects.count() == 1


def test_the_log_is_looked_at_again_while_something_is_on_its_way(people: People, hook: Webhook) -> None:
    sent(hook, next_at=timezone.now() + timedelta(hours=1), attempts=3, error="answered 500")
    assert "hx-trigger" not in log(people, hook)
    sent(hook)
    assert "hx-trigger" in log(people, hook)


def test_states_and_pages(people: People, hook: Webhook) -> None:
    for number in range(26):
        sent(hook, event=f"e{number}.", state="delivered")
    sent(hook, event="broken", state="failed")
    assert "broken" not in log(people, hook, "?state=delivered")
    assert "e0." in log(people, hook, "?state=delivered&page=2")
    assert "broken" in log(people, hook, "?state=failed")
    assert "None of these" in log(people, hook, "?state=pending")
    assert "broken" in log(people, hook, "?state=nonsense")


def test_an_empty_log_says_what_comes(people: People, hook: Webhook) -> None:
    assert "Nothing was sent yet" in log(people, hook)


@pytest.mark.parametrize("count", [2, 20])
def test_statements_do_not_grow(
    people: People, hook: Webhook, django_assert_num_queries: DjangoAssertNumQueries, count: int
) -> None:
    for _ in range(count):
        sent(hook)
    browser = people.root.browser()
    browser.get(f"/settings/webhooks/{hook.uid}/")
    with django_assert_num_queries(8):
        browser.get(f"/settings/webhooks/{hook.uid}/")
