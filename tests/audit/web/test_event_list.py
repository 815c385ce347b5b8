from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from apps.accounts import actions as accounts
from apps.audit.models import Event
from apps.audit.sealing import seal_pending
from apps.core.actor import Role
from tests.personas import PASSWORD, People, Persona


def page(who: Persona, query: str = "", *, expect: int = 200) -> str:
    response = who.browser().get(f"/audit/{query}")
    assert response.status_code == expect
    return str(response.content.decode())


def read(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", html))


def test_an_administrator_reads_what_happened(people: People) -> None:
    accounts.create_team(people.root.actor, name="dock")
    seal_pending()
    text = read(page(people.root))
    assert "root created the team dock" in text
    assert "system created the user ada" in text
    assert "not sealed yet" not in text


def test_maintainers_see_their_teams_and_others_what_they_did(people: People) -> None:
    accounts.add_member(people.root.actor, team=people.forge, user=people.cleo.user, role=Role.VIEWER)
    accounts.create_team(people.root.actor, name="secret-dock")
    seen_by_max = read(page(people.max))
    assert "added cleo to forge" in seen_by_max
    assert "secret-dock" not in seen_by_max
    assert "added cleo" not in read(page(people.ada))


def test_an_unsealed_event_says_so(people: People) -> None:
    assert "not sealed yet" in page(people.root)


def test_names_are_text(people: People) -> None:
    accounts.change_profile(
        people.root.actor, user=people.ada.user, first_name="<script>x</script>", last_name="", email=""
    )
    assert "<script>x" not in page(people.root)


def test_an_object_with_a_page_is_a_link(people: People) -> None:
    experiment_id = people.ada.call("POST", "experiments/create", {"name": "iris & co"})["experiment_id"]
    assert f'<a href="/experiments/{experiment_id}/">iris &amp; co</a>' in page(people.root)


@pytest.mark.parametrize(
    ("query", "shown", "hidden"),
    [
        ("?text=VERA", "vera", "cleo"),
        ("?code=team.created", "created the team", "created the user"),
        ("?kind=team", "created the team", "created the user"),
        ("?team=forge", "to forge", "to harbour"),
        ("?actor=root", "", "created the user"),
        ("?since=2020-01-01&until=2099-01-01", "created the user", "Nothing matches"),
        ("?until=2020-01-01", "Nothing matches these filters", "created the user"),
    ],
)
def test_filters(people: People, query: str, shown: str, hidden: str) -> None:
    rows = read(people.root.browser().get(f"/audit/{query}", headers={"HX-Request": "true"}).content.decode())
    assert shown in rows
    assert hidden not in rows


def test_older_events_are_a_page_further(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.audit.web.views._PAGE", 3)
    browser = people.root.browser()
    seen: list[str] = []
    url = "/audit/?text=system"
    while url:
        html = browser.get(url).content.decode()
        seen += re.findall(r'<dd class="mono">([a-z_]+\.[a-z_]+)</dd>', html)
        older = re.search(r'rel="next" href="([^"]+)"', html)
        url = older[1].replace("&amp;", "&") if older else ""
    assert len(seen) == Event.objects.filter(actor_name="system").count() > 6


@pytest.mark.parametrize("query", ["?before=x", "?before=-1", "?since=yesterday", f"?text={'x' * 201}", "?text=%00"])
def test_bad_filters_are_told(people: People, query: str) -> None:
    assert 'role="alert"' in page(people.root, query, expect=400)


def test_htmx_gets_the_rows_alone(people: People) -> None:
    html = people.root.browser().get("/audit/", headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in html
    assert "created the user" in html


def test_strangers_are_sent_to_sign_in(people: People) -> None:
    response = Client().get("/audit/")
    assert (response.status_code, response["Location"]) == (302, "/login/?next=/audit/")


def test_nothing_can_be_posted(people: People) -> None:
    assert people.root.browser().post("/audit/").status_code == 405


def test_the_number_of_statements_does_not_grow(people: People, django_assert_max_num_queries: Any) -> None:
    for number in range(20):
        accounts.create_user(people.root.actor, username=f"user{number}", password=PASSWORD, team=people.forge)
    browser = people.root.browser()
    browser.get("/audit/")
    with django_assert_max_num_queries(6):
        browser.get("/audit/")
