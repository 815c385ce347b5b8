"""Addresses that nobody types: names that no database takes are not found, and nothing breaks."""

from __future__ import annotations

import pytest

from tests.personas import People
from tests.registry.models import make_model, make_version
from tests.registry.web.asking import HTMX

PLACES = ("history/", "roll-back/", "policies/", "aliases/set/", "versions/1/ask/", "versions/1/move/")

READ_ONLY = ("history/", "policies/")


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", ["a%00b", "%ED%A0%80", "x" * 2000, "..", "%252e", "nobody"])
def test_names_that_no_model_has(people: People, place: str, name: str) -> None:
    browser = people.root.browser()
    assert browser.get(f"/models/forge/{name}/{place}").status_code == 404
    posted = browser.post(f"/models/forge/{name}/{place}", {"slot": "stage:Production"}, headers=HTMX)
    assert posted.status_code == (405 if place in READ_ONLY else 404)


@pytest.mark.parametrize("number", ["0", "9" * 12, "9" * 400])
def test_numbers_that_no_version_has(people: People, number: str) -> None:
    make_version(people.ada, make_model(people.ada))
    for place in ("ask/", "move/"):
        assert people.ada.browser().get(f"/models/forge/iris/versions/{number}/{place}").status_code == 404


@pytest.mark.parametrize("alias", ["a%00b", "%ED%A0%80", "x" * 2000, "v1", "a b"])
def test_aliases_that_cannot_be(people: People, alias: str) -> None:
    make_version(people.ada, make_model(people.ada))
    browser, place = people.ada.browser(), f"/models/forge/iris/aliases/{alias}/delete/"
    assert browser.get(place).status_code == 200
    assert browser.post(place, {"reason": "x"}, headers=HTMX).status_code == 422


@pytest.mark.parametrize(
    "query", ["team=%00", "team=%ED%A0%80", "team=forge&model=%00", "team=" + "x" * 500, "slot=%ED%A0%80"]
)
@pytest.mark.parametrize("place", ["/settings/policies/new/", "/settings/approvers/new/"])
def test_owners_that_there_are_not(people: People, place: str, query: str) -> None:
    assert people.root.browser().get(f"{place}?{query}").status_code in (200, 404)
