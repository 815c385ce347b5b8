from __future__ import annotations

import pytest
from pytest_django import DjangoAssertNumQueries, DjangoCaptureOnCommitCallbacks

from apps.accounts.actions import remove_member
from apps.accounts.models import Grant, ObjectKind
from apps.core.actor import Level, system_actor
from apps.notifications.actions import publish
from apps.notifications.models import Choice, Notification, Subscription
from tests.notifications.happenings import happening, topic
from tests.personas import People
from tests.registry.models import make_model

INBOX = "/api/v1/notifications/"
PREFERENCES = "/api/v1/notification-preferences/"


def tell(people: People, count: int = 1) -> None:
    for _ in range(count):
        publish(people.ada.actor, happening=happening(people), to=[people.ben.user.pk, people.max.user.pk])


def test_one_reads_ones_own_inbox(people: People) -> None:
    tell(people, 2)
    answer = people.ben.request("GET", INBOX).json()
    assert [line["object_name"] for line in answer["results"]] == ["iris", "iris"]
    assert answer["results"][0]["unread"]
    assert people.cleo.request("GET", INBOX).json()["results"] == []


def test_reading_lowers_the_count(people: People) -> None:
    tell(people, 3)
    line = Notification.objects.filter(user=people.ben.user).first()
    assert line is not None
    assert people.ben.request("GET", f"{INBOX}unread-count/").json() == {"unread": 3}
    for _ in range(2):
        assert people.ben.request("POST", f"{INBOX}{line.pk}/read/").json() == {"unread": 2}
    assert len(people.ben.request("GET", INBOX, {"state": "unread"}).json()["results"]) == 2
    assert people.ben.request("POST", f"{INBOX}read-all/").json() == {"unread": 0}
    assert Notification.objects.filter(user=people.max.user).unread().count() == 3


def test_anothers_line_is_not_there(people: People) -> None:
    tell(people)
    line = Notification.objects.get(user=people.ben.user)
    assert people.max.request("POST", f"{INBOX}{line.pk}/read/").status_code == 404
    assert people.root.request("POST", f"{INBOX}{line.pk}/read/").status_code == 404
    assert Notification.objects.get(pk=line.pk).is_unread


def test_what_one_may_not_read_any_more_is_gone(
    people: People, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    tell(people)
    line = Notification.objects.get(user=people.ben.user)
    with django_capture_on_commit_callbacks(execute=True):
        remove_member(system_actor(), team=people.forge, user=people.ben.user)
    assert people.ben.request("GET", INBOX).json()["results"] == []
    assert people.ben.request("GET", f"{INBOX}unread-count/").json() == {"unread": 0}
    assert people.ben.request("POST", f"{INBOX}{line.pk}/read/").status_code == 404
    Grant.objects.create(kind=line.kind, object_id=line.object_id, user=people.ben.user, level=Level.READ)
    assert people.ben.request("GET", f"{INBOX}unread-count/").json() == {"unread": 1}


def test_pages_lead_on(people: People) -> None:
    tell(people, 5)
    first = people.ben.request("GET", INBOX, {"page_size": 3}).json()
    rest = people.ben.request("GET", INBOX, {"page_size": 3, "page_token": first["next_page_token"]}).json()
    assert (len(first["results"]), len(rest["results"]), rest["next_page_token"]) == (3, 2, None)


@pytest.mark.parametrize("query", [{"state": "x"}, {"page_size": "0"}, {"page_token": "x"}])
def test_bad_questions(people: People, query: dict[str, str]) -> None:
    assert people.ben.request("GET", INBOX, query).status_code == 400


@pytest.mark.parametrize("count", [1, 20])
def test_the_inbox_costs_one_statement(
    people: People, django_assert_num_queries: DjangoAssertNumQueries, count: int
) -> None:
    tell(people, count)
    people.ben.request("GET", INBOX)
    with django_assert_num_queries(1):
        people.ben.request("GET", INBOX)


def test_subscribing(people: People) -> None:
    make_model(people.ada, "iris")
    body = {"kind": "registered_model", "object": "iris", "choice": "all"}
    assert people.ben.request("POST", "/api/v1/subscriptions/", body).json()["choice"] == "all"
    assert people.ben.request("POST", "/api/v1/subscriptions/", {**body, "choice": "none"}).status_code == 200
    assert Subscription.objects.get().choice == Choice.NONE
    assert len(people.ben.request("GET", "/api/v1/subscriptions/").json()["results"]) == 1
    people.ben.request("POST", "/api/v1/subscriptions/", {**body, "choice": "default"})
    assert not Subscription.objects.exists()


def test_what_one_may_not_read_one_can_not_subscribe_to(people: People) -> None:
    make_model(people.ada, "iris")
    body = {"kind": ObjectKind.REGISTERED_MODEL.value, "object": "iris", "choice": "all"}
    assert people.cleo.request("POST", "/api/v1/subscriptions/", body).status_code == 404


@pytest.mark.parametrize("change", [{"choice": "some"}, {"kind": "boat"}, {"object": ""}])
def test_bad_subscriptions(people: People, change: dict[str, str]) -> None:
    body = {"kind": "registered_model", "object": "iris", "choice": "all", **change}
    assert people.ben.request("POST", "/api/v1/subscriptions/", body).status_code == 400


def test_preferences(people: People) -> None:
    code = topic().code
    shown = people.ben.request("GET", PREFERENCES).json()
    assert (shown["mail"], shown["topics"][code]) == ("at_once", None)
    change = {"mail": "daily", "topics": {code: "all"}}
    for _ in range(2):
        shown = people.ben.request("PATCH", PREFERENCES, change).json()
    assert (shown["mail"], shown["topics"][code]) == ("daily", "all")
    assert people.ben.request("PATCH", PREFERENCES, {"topics": {code: None}}).json()["topics"][code] is None
    assert people.max.request("GET", PREFERENCES).json()["mail"] == "at_once"


@pytest.mark.parametrize("body", [{"mail": "hourly"}, {"topics": {"x": "all"}}, {"topics": []}, b"[" * 100_000, [1]])
def test_bad_preferences(people: People, body: object) -> None:
    assert people.ben.request("PATCH", PREFERENCES, body).status_code == 400
