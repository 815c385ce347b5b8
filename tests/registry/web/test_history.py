from __future__ import annotations

from datetime import datetime

import pytest
from pytest_django import DjangoAssertNumQueries

from apps.registry import actions
from apps.registry.models import ModelVersion, Placement, PromotionRequest
from tests.personas import People
from tests.registry.models import make_model, make_version
from tests.registry.web.asking import HTMX, make_policy

URL = "/models/forge/iris/history/"
BACK = "/models/forge/iris/roll-back/?slot=stage:Production"


@pytest.fixture
def versions(people: People) -> list[ModelVersion]:
    """Version 1 was in Production, version 2 is."""
    model = make_model(people.ada)
    made = [make_version(people.ada, model) for _ in range(2)]
    for version in made:
        actions.move_version(
            people.max.actor,
            version=version,
            stage="Production",
            archive_existing=True,
            comment=f"why {version.number}",
        )
    return made


def ms(moment: str) -> int:
    return int(datetime.fromisoformat(f"2026-{moment}+00:00").timestamp() * 1000)


def test_shows_each_interval_with_who_and_why(people: People, versions: list[ModelVersion]) -> None:
    page = people.vera.browser().get(URL, {"slot": "stage:Production"}).content.decode()
    for shown in ("version 1", "version 2", "why 1", "why 2", "Version 2 took its place.", "pill-ok", "max"):
        assert shown in page
    assert "why 1" not in people.vera.browser().get(URL, {"slot": "stage:Archived"}).content.decode()


def test_going_back_is_offered_where_something_was_before(people: People, versions: list[ModelVersion]) -> None:
    browser = people.max.browser()
    assert "roll-back/?slot=" in browser.get(URL, {"slot": "stage:Production"}).content.decode()
    Placement.objects.filter(number=1).delete()
    assert "roll-back/?slot=" not in browser.get(URL, {"slot": "stage:Production"}).content.decode()


def test_a_version_that_is_gone_still_stands_there(people: People, versions: list[ModelVersion]) -> None:
    versions[0].delete()
    assert "(deleted)" in people.vera.browser().get(URL, {"slot": "stage:Production"}).content.decode()


def test_what_was_in_place(people: People, versions: list[ModelVersion]) -> None:
    places = Placement.objects.filter(slot_name="Production")
    places.filter(number=1).update(from_ms=ms("03-01T12:00"), until_ms=ms("03-05T12:00"))
    places.filter(number=2).update(from_ms=ms("03-05T12:00"))
    Placement.objects.exclude(slot_name="Production").delete()
    browser = people.vera.browser()

    def at(written: str) -> list[int]:
        found = browser.get(URL, {"at": written}).context["in_place"]
        return [row.number for row in found]

    assert at("2026-03-02") == at("2026-03-05T11:59") == [1]
    assert at("2026-03-05") == [2, 1]
    assert at("2026-03-05T12:00:00+00:00") == at("2030-01-01") == [2]
    assert at("2026-02-28") == []


@pytest.mark.parametrize("written", ["yesterday", "2026-13-01", "2026-02-30", "9" * 60, "\x00", "2026-03-05T99:00"])
def test_odd_moments_are_refused_in_words(people: People, versions: list[ModelVersion], written: str) -> None:
    refused = people.vera.browser().get(URL, {"at": written})
    assert (refused.status_code, "Write a day as" in refused.content.decode()) == (400, True)


def test_rolling_back_at_once(people: People, versions: list[ModelVersion]) -> None:
    browser = people.max.browser()
    shown = browser.get(BACK, headers=HTMX).content.decode()
    assert "goes back to version 1" in shown
    assert "Roll back now" in shown
    assert browser.post(BACK, {"to": "1"}, headers=HTMX).status_code == 422
    assert browser.post(BACK, {"reason": "it burns", "to": "1"}).status_code == 302
    versions[0].refresh_from_db()
    assert versions[0].stage == "Production"


def test_rolling_back_by_asking(people: People, versions: list[ModelVersion]) -> None:
    make_policy(rollback_by="admin")
    assert "Ask to roll back" in people.max.browser().get(BACK, headers=HTMX).content.decode()
    answer = people.max.browser().post(BACK, {"reason": "it burns", "to": "1"}, headers=HTMX)
    made = PromotionRequest.objects.get()
    assert answer["HX-Redirect"] == f"/approvals/{made.pk}/"
    assert made.kind == "rollback"
    assert "rollback" in people.max.browser().get(f"/approvals/{made.pk}/").content.decode()


def test_another_version_than_was_shown_is_refused(people: People, versions: list[ModelVersion]) -> None:
    refused = people.max.browser().post(BACK, {"reason": "it burns", "to": "2"}, headers=HTMX)
    assert (refused.status_code, "Look again" in refused.content.decode()) == (422, True)


def test_nothing_to_go_back_to(people: People) -> None:
    make_model(people.ada)
    browser = people.max.browser()
    shown = browser.get(BACK, headers=HTMX).content.decode()
    assert ("nothing to go back to" in shown, "button-primary" in shown, "Close" in shown) == (True, False, True)
    assert "Cancel" not in shown
    assert "No version was in a stage yet" in browser.get(URL).content.decode()


def test_another_team_meets_nothing(people: People, versions: list[ModelVersion]) -> None:
    browser = people.cleo.browser()
    met = (browser.get(URL).status_code, browser.get(BACK).status_code, browser.post(BACK, {}).status_code)
    assert met == (404, 404, 404)


@pytest.mark.parametrize("more", [0, 3])
def test_the_number_of_statements_does_not_grow(
    people: People, versions: list[ModelVersion], django_assert_num_queries: DjangoAssertNumQueries, more: int
) -> None:
    for _ in range(more):
        for version in versions:
            actions.move_version(people.max.actor, version=version, stage="Production", archive_existing=True)
    browser = people.max.browser()
    browser.get(URL)
    with django_assert_num_queries(13):
        browser.get(URL, {"at": "2200-01-01"})
