from __future__ import annotations

import json

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from apps.notifications.models import Notification
from tests.notifications.web.lines import line
from tests.personas import People, Persona


def page(who: Persona, query: str = "") -> str:
    response = who.browser().get(f"/notifications/{query}")
    assert response.status_code == 200
    return str(response.content.decode())


def test_unread_lines_are_links_to_what_they_are_about(people: People) -> None:
    line(people, people.ben)
    html = page(people.ben)
    assert 'href="/models/forge/iris/versions/2/"' in html
    assert "ada asked for version 2 of iris." in html
    assert 'class="is-unread"' in html
    assert "Mark all read" in html


def test_nobody_reads_anothers_inbox(people: People) -> None:
    found = line(people, people.ben, "for ben alone")
    for who in (people.ada, people.max, people.root):
        assert "for ben alone" not in page(who, "?show=all")
        assert who.browser().post(f"/notifications/{found.pk}/read/").status_code == 404
    assert Notification.objects.unread().count() == 1


def test_what_is_read_or_decided_is_listed_under_all(people: People) -> None:
    line(people, people.ben, "read before", read_at=timezone.now())
    line(people, people.ben, "approved by others", done_at=timezone.now())
    assert "Nothing unread" in page(people.ben)
    everything = page(people.ben, "?show=all")
    assert "read before" in everything
    assert "Decided meanwhile" in everything
    assert "is-unread" not in everything


def test_an_empty_inbox_says_what_comes_here(people: People) -> None:
    assert "No notifications yet" in page(people.ben, "?show=all")
    assert "mentions" in page(people.ben)


def test_texts_are_plain(people: People) -> None:
    line(people, people.ben, "ada wrote: **good** [run](http://x.example/) <script>x</script>")
    html = page(people.ben)
    assert "ada wrote: good run &lt;script&gt;x&lt;/script&gt;" in html


def test_a_line_is_marked_read_in_its_place(people: People) -> None:
    found, _ = line(people, people.ben), line(people, people.ben)
    answer = people.ben.browser().post(f"/notifications/{found.pk}/read/", headers={"HX-Request": "true"})
    assert answer.status_code == 200
    assert "is-unread" not in answer.content.decode()
    assert json.loads(answer["HX-Trigger"]) == {"unread": {"unread": 1}}
    found.refresh_from_db()
    assert not found.is_unread


def test_without_scripts_one_comes_back_to_the_list(people: People) -> None:
    found = line(people, people.ben)
    answer = people.ben.browser().post(f"/notifications/{found.pk}/read/", {"show": "all"})
    assert (answer.status_code, answer["Location"]) == (302, "/notifications/?show=all")


def test_all_that_was_shown_is_read_and_what_came_meanwhile_is_not(people: People) -> None:
    line(people, people.ben), line(people, people.vera)
    shown = line(people, people.ben)
    line(people, people.ben, "came meanwhile")
    people.ben.browser().post("/notifications/read-all/", {"newest": shown.pk})
    assert [one.text for one in Notification.objects.visible_to(people.ben.actor).unread()] == ["came meanwhile"]
    people.ben.browser().post("/notifications/read-all/")
    assert Notification.objects.visible_to(people.ben.actor).unread().count() == 0
    assert Notification.objects.visible_to(people.vera.actor).unread().count() == 1


@pytest.mark.parametrize("newest", ["x", "-1", "9" * 30, "²"])
def test_a_page_that_says_nonsense_reads_all(people: People, newest: str) -> None:
    line(people, people.ben)
    assert people.ben.browser().post("/notifications/read-all/", {"newest": newest}).status_code == 302
    assert Notification.objects.unread().count() == 0


def test_fifty_to_a_page(people: People) -> None:
    for number in range(51):
        line(people, people.ben, f"line {number}.")
    assert "line 50." in page(people.ben)
    assert "line 0." not in page(people.ben)
    assert "line 0." in page(people.ben, "?page=2")
    assert "line 0." in page(people.ben, "?page=99")
    assert "line 50." in page(people.ben, "?page=x")


def test_the_bell_asks_for_a_number(people: People) -> None:
    line(people, people.ben)
    assert people.ben.browser().get("/notifications/unread/").json() == {"unread": 1}
    assert people.ada.browser().get("/notifications/unread/").json() == {"unread": 0}


def test_wrong_verbs_and_nobody(people: People) -> None:
    browser = people.ben.browser()
    assert browser.post("/notifications/").status_code == 405
    assert browser.get("/notifications/read-all/").status_code == 405
    assert browser.post(f"/notifications/{10**25}/read/").status_code == 404
    assert Client().get("/notifications/")["Location"] == "/login/?next=/notifications/"


@pytest.mark.parametrize("count", [2, 30])
def test_statements_do_not_grow(people: People, django_assert_num_queries: DjangoAssertNumQueries, count: int) -> None:
    for _ in range(count):
        line(people, people.ben)
    browser = people.ben.browser()
    browser.get("/notifications/")
    # Session, person and roles; teams of the bar; how many, and the lines.
    with django_assert_num_queries(7):
        browser.get("/notifications/?show=all")
