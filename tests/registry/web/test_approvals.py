from __future__ import annotations

import pytest
from pytest_django import DjangoAssertNumQueries

from apps.core.actor import Role
from apps.registry.addresses import request_url
from apps.registry.models import GateResult, PromotionRequest, RequestState
from tests.personas import People
from tests.registry.web.asking import HTMX, make_asked, make_maintainer, make_policy

URL = "/approvals/"


@pytest.fixture
def asked(people: People) -> PromotionRequest:
    """Ada asks for Production, which wants two maintainers."""
    make_policy(approvals=2)
    return make_asked(people)


def listed(people: People, name: str, tab: str = "") -> bool:
    return "iris" in getattr(people, name).browser().get(URL, {"tab": tab}, headers=HTMX).content.decode()


def test_lists_what_waits_for_each(people: People, asked: PromotionRequest) -> None:
    waits = {name: listed(people, name) for name in ("ada", "ben", "vera", "max", "cleo", "root")}
    assert waits == {"ada": False, "ben": False, "vera": False, "max": True, "cleo": False, "root": True}
    assert (listed(people, "ada", "asked"), listed(people, "max", "asked")) == (True, False)
    assert (listed(people, "vera", "all"), listed(people, "cleo", "all")) == (True, False)


def test_a_word_moves_it_to_what_was_decided(people: People, asked: PromotionRequest) -> None:
    said = people.max.browser().post(f"{request_url(asked)}approve/", {"round": "1", "comment": "Looks **good**"})
    assert said.status_code == 302
    assert (listed(people, "max"), listed(people, "max", "decided")) == (False, True)
    page = people.vera.browser().get(request_url(asked)).content.decode()
    assert "<strong>good</strong>" in page
    assert "1 of 2 approvals" in page


def test_the_last_approval_moves_the_version(people: People, asked: PromotionRequest) -> None:
    for persona in (people.max, make_maintainer(people)):
        persona.browser().post(f"{request_url(asked)}approve/", {"round": "1"})
    asked.refresh_from_db()
    assert asked.state == RequestState.APPLIED
    page = people.ada.browser().get(request_url(asked)).content.decode()
    assert "It was approved, and the version was moved." in page
    assert "/approve/" not in page


def test_the_number_in_the_navigation(people: People, asked: PromotionRequest) -> None:
    counts = {name: getattr(people, name).browser().get(f"{URL}count/").content.decode()[:1] for name in ("ada", "max")}
    assert counts == {"ada": "<", "max": "1"}


def test_one_s_own_is_not_for_oneself(people: People, asked: PromotionRequest) -> None:
    people.forge.memberships.filter(user=people.ada.user).update(role=Role.MAINTAINER)
    browser = people.ada.browser()
    assert not listed(people, "ada")
    page = browser.get(request_url(asked)).content.decode()
    assert "It is your own" in page
    refused = browser.post(f"{request_url(asked)}approve/", {"round": "1"}, headers=HTMX)
    assert refused.status_code == 422
    assert "somebody else" in refused.content.decode()


def test_who_has_no_say_is_told_who_has(people: People, asked: PromotionRequest) -> None:
    browser = people.ben.browser()
    assert "It is decided on by maintainers and admins" in browser.get(request_url(asked)).content.decode()
    refused = browser.post(f"{request_url(asked)}reject/", {"round": "1"}, headers=HTMX)
    assert (refused.status_code, "Permission denied" in refused.content.decode()) == (422, True)
    asked.refresh_from_db()
    assert asked.is_open


def test_a_round_that_began_while_one_read(people: People, asked: PromotionRequest) -> None:
    PromotionRequest.objects.filter(pk=asked.pk).update(round=2)
    browser = people.max.browser()
    refused = browser.post(f"{request_url(asked)}approve/", {"round": "1", "comment": "typed"}, headers=HTMX)
    shown = refused.content.decode()
    assert refused.status_code == 422
    assert "A new round began" in shown
    assert "typed" in shown
    assert 'value="2"' in shown
    fragment = browser.get(request_url(asked), {"round": "1"}, headers=HTMX).content.decode()
    assert "A new round began while you read" in fragment


def test_the_evidence_alone_until_it_ends(people: People, asked: PromotionRequest) -> None:
    browser = people.max.browser()
    answer = browser.get(request_url(asked), headers=HTMX)
    assert (answer.status_code, "<form" in answer.content.decode()) == (200, False)
    people.ada.browser().post(f"{request_url(asked)}cancel/")
    assert browser.get(request_url(asked), headers=HTMX).status_code == 286


def test_values_of_a_run_that_one_may_not_read_are_hidden(people: People, asked: PromotionRequest) -> None:
    gate = {"kind": "metric", "params": {"key": "accuracy", "operator": ">=", "value": 0.95}}
    PromotionRequest.objects.filter(pk=asked.pk).update(rules=asked.rules | {"gates": [gate]})
    GateResult.objects.create(
        request=asked,
        round=1,
        place=0,
        kind="metric",
        state="passed",
        text="accuracy is 0.987",
        evidence={"experiments": [999_999]},
    )
    page = people.max.browser().get(request_url(asked)).content.decode()
    assert "accuracy ≥ 0.95" in page
    assert "0.987" not in page
    assert "The value is hidden" in page


def test_a_gate_that_has_not_passed_is_named_in_place(people: People) -> None:
    make_policy(gates=[{"kind": "description", "params": {"characters": 500}}])
    asked = make_asked(people)
    browser = people.max.browser()
    assert "1 gate has not passed yet" in browser.get(request_url(asked)).content.decode()
    refused = browser.post(f"{request_url(asked)}approve/", {"round": "1", "comment": "typed"}, headers=HTMX)
    shown = refused.content.decode()
    assert (refused.status_code, "typed" in shown) == (422, True)
    assert "Not every gate of Production is passed: description" in shown
    assert not asked.decisions.exists()


def test_without_a_policy_who_approves_says_whether_to_archive(people: People) -> None:
    first, second = make_asked(people), make_asked(people)
    browser = people.max.browser()
    assert "Archive what is there now" in browser.get(request_url(first)).content.decode()
    for asked, archives in ((first, {}), (second, {"archive_existing": "on"})):
        assert browser.post(f"{request_url(asked)}approve/", {"round": "1"} | archives).status_code == 302
    first.version.refresh_from_db()
    second.version.refresh_from_db()
    assert (first.version.stage, second.version.stage) == ("Archived", "Production")
    third = make_asked(people)
    browser.post(f"{request_url(third)}reject/", {"round": "1", "archive_existing": "on"})
    third.refresh_from_db()
    assert third.state == RequestState.REJECTED


def test_what_people_write_is_text(people: People) -> None:
    evil = "<script>alert(1)</script> [x](javascript:alert(1)) <img src=x onerror=alert(1)>"
    make_policy(approvals=2)
    asked = make_asked(people, comment=evil)
    browser = people.max.browser()
    browser.post(f"{request_url(asked)}approve/", {"round": "1", "comment": evil})
    pages = [
        browser.get(path).content.decode() for path in (request_url(asked), f"{URL}?tab=all", f"{URL}?tab=decided")
    ]
    for page in pages:
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert 'href="javascript:' not in page


@pytest.mark.parametrize(("verb", "status"), [("approve", 404), ("reject", 404), ("cancel", 404)])
def test_another_team_meets_nothing(people: People, asked: PromotionRequest, verb: str, status: int) -> None:
    browser = people.cleo.browser()
    assert browser.get(request_url(asked)).status_code == 404
    assert browser.post(f"{request_url(asked)}{verb}/", {"round": "1"}).status_code == status
    assert browser.get(f"{request_url(asked)}{verb}/").status_code == 405


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"round": "x"},
        {"round": "-1"},
        {"round": "9" * 30},
        {"round": "1", "comment": "x" * 200_000},
        {"round": "1", "comment": "\x00"},
    ],
)
def test_odd_input_is_refused_in_place(people: People, asked: PromotionRequest, body: dict[str, str]) -> None:
    assert people.max.browser().post(f"{request_url(asked)}approve/", body, headers=HTMX).status_code == 422
    assert not asked.decisions.exists()


@pytest.mark.parametrize("query", [{"tab": "\x00"}, {"page": "x"}, {"round": "²"}, {"round": "9" * 50}])
def test_odd_addresses(people: People, asked: PromotionRequest, query: dict[str, str]) -> None:
    for path in (URL, request_url(asked)):
        assert people.max.browser().get(path, query, headers=HTMX).status_code == 200
    assert people.max.browser().get(f"{URL}{10**30}/").status_code == 404


@pytest.mark.parametrize("count", [1, 4])
def test_the_number_of_statements_does_not_grow(
    people: People, django_assert_num_queries: DjangoAssertNumQueries, count: int
) -> None:
    make_policy(approvals=2)
    for _ in range(count):
        asked = make_asked(people)
    browser = people.max.browser()
    browser.get(URL)
    with django_assert_num_queries(10):
        browser.get(URL)
    with django_assert_num_queries(14):
        browser.get(request_url(asked))
