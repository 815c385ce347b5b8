from __future__ import annotations

import pytest
from pytest_django import DjangoAssertNumQueries

from apps.registry.models import Alias, ModelVersion, Override, PromotionRequest
from apps.registry.stages import Slot
from tests.personas import People
from tests.registry.models import make_model, make_version
from tests.registry.web.asking import HTMX, make_policy

VERSION = "/models/forge/iris/versions/1/"
PRODUCTION = {"slot": "stage:Production"}


@pytest.fixture
def version(people: People) -> ModelVersion:
    return make_version(people.ada, make_model(people.ada))


def test_asking_makes_a_request_and_shows_it(people: People, version: ModelVersion) -> None:
    make_policy(approvals=2)
    asked = people.ada.browser().post(f"{VERSION}ask/", PRODUCTION | {"comment": "better"}, headers=HTMX)
    made = PromotionRequest.objects.get()
    assert asked["HX-Redirect"] == f"/approvals/{made.pk}/"
    assert (made.slot.name, made.comment, made.requester_name) == ("Production", "better", "ada")


def test_the_dialog_says_what_the_slot_demands(people: People, version: ModelVersion) -> None:
    gate = {"kind": "description", "params": {"characters": 20}}
    make_policy(approvals=2, gates=[gate])
    make_policy(Slot.alias("champion"), model=version.model)
    page = people.ada.browser().get(f"{VERSION}ask/", headers=HTMX).content.decode()
    for shown in ("2 approvals by maintainers", "the alias @champion", "Gates now", "gate-bad", "max", "root"):
        assert shown in page
    preview = people.ada.browser().get(
        f"{VERSION}ask/", {"slot": "stage:Staging"}, headers=HTMX | {"HX-Target": "dialog-below"}
    )
    assert ("No policy" in preview.content.decode(), "<form" in preview.content.decode()) == (True, False)


def test_the_dialog_is_a_page_without_scripts(people: People, version: ModelVersion) -> None:
    page = people.ada.browser().get(f"{VERSION}ask/").content.decode()
    for shown in ("<h1>Ask for", 'id="dialog-below"', "What Production demands", f'href="{VERSION}">Cancel'):
        assert shown in page, shown


def test_who_holds_the_right_is_shown_the_short_way(people: People, version: ModelVersion) -> None:
    page = people.max.browser().get(f"{VERSION}ask/", headers=HTMX).content.decode()
    assert "/versions/1/move/?slot=stage%3AProduction" in page
    assert people.max.browser().post(f"{VERSION}move/", PRODUCTION | {"archive_existing": "on"}).status_code == 302
    version.refresh_from_db()
    assert version.stage == "Production"


def test_a_governed_stage_names_the_way(people: People, version: ModelVersion) -> None:
    make_policy(approvals=2)
    refused = people.max.browser().post(f"{VERSION}move/", PRODUCTION, headers=HTMX)
    assert refused.status_code == 422
    assert "is governed by a policy" in refused.content.decode()
    assert "/versions/1/ask/" in refused.content.decode()
    assert "transition-requests" not in refused.content.decode()
    assert not Override.objects.exists()


def test_past_the_policy_wants_a_reason_and_is_marked(people: People, version: ModelVersion) -> None:
    make_policy(override_by="site")
    browser = people.root.browser()
    assert "This goes past the policy" in browser.get(f"{VERSION}move/", headers=HTMX).content.decode()
    refused = browser.post(f"{VERSION}move/", PRODUCTION, headers=HTMX)
    assert (refused.status_code, "Say why: it goes past the policy." in refused.content.decode()) == (422, True)
    assert browser.post(f"{VERSION}move/", PRODUCTION | {"comment": "the old one burns"}).status_code == 302
    assert Override.objects.get().reason == "the old one burns"


def test_asking_twice_is_refused_in_place(people: People, version: ModelVersion) -> None:
    browser = people.ada.browser()
    browser.post(f"{VERSION}ask/", PRODUCTION)
    again = browser.post(f"{VERSION}ask/", PRODUCTION | {"comment": "typed"}, headers=HTMX)
    assert (again.status_code, "typed" in again.content.decode()) == (422, True)


def test_aliases_are_set_moved_and_removed(people: People, version: ModelVersion) -> None:
    make_version(people.ada, version.model)
    browser = people.ben.browser()
    for number in ("1", "2"):
        browser.post("/models/forge/iris/aliases/set/", {"alias": "champion", "number": number})
    assert Alias.objects.get().version.number == 2
    browser.post("/models/forge/iris/aliases/champion/delete/", {"reason": ""})
    assert not Alias.objects.exists()


def test_a_protected_alias_wants_a_request(people: People, version: ModelVersion) -> None:
    make_policy(Slot.alias("champion"))
    form = {"alias": "champion", "number": "1"}
    refused = people.max.browser().post("/models/forge/iris/aliases/set/", form, headers=HTMX)
    assert (refused.status_code, "governed by a policy" in refused.content.decode()) == (422, True)
    assert "/versions/1/ask/?slot=alias%3Achampion" in refused.content.decode()


def test_asking_for_an_alias_that_there_is_not_yet(people: People, version: ModelVersion) -> None:
    make_policy(approvals=2)
    place = f"{VERSION}ask/?slot=alias:production"
    assert "the alias @production" in people.ada.browser().get(place, headers=HTMX).content.decode()
    people.ada.browser().post(f"{VERSION}ask/", {"slot": "alias:production"})
    made = PromotionRequest.objects.get()
    assert (str(made.slot), made.rules["approvals"]) == ("@production", 2)


@pytest.mark.parametrize(
    "form",
    [
        {"slot": ""},
        {"slot": "stage:None"},
        {"slot": "stage:\x00"},
        {"slot": "alias:v1"},
        PRODUCTION | {"comment": "\x00"},
        PRODUCTION | {"comment": "x" * 70_000},
    ],
)
def test_odd_input_is_refused_in_place(people: People, version: ModelVersion, form: dict[str, str]) -> None:
    for dialog in ("ask", "move"):
        assert people.max.browser().post(f"{VERSION}{dialog}/", form, headers=HTMX).status_code == 422
    assert not PromotionRequest.objects.exists()


@pytest.mark.parametrize(
    "form",
    [
        {"alias": ""},
        {"alias": "v1", "number": "1"},
        {"alias": "a/b", "number": "1"},
        {"alias": "a", "number": "9" * 40},
        {"alias": "a", "number": "7"},
    ],
)
def test_odd_aliases_are_refused_in_place(people: People, version: ModelVersion, form: dict[str, str]) -> None:
    assert people.max.browser().post("/models/forge/iris/aliases/set/", form, headers=HTMX).status_code == 422


def test_another_team_meets_nothing(people: People, version: ModelVersion) -> None:
    browser = people.cleo.browser()
    for dialog in (f"{VERSION}ask/", f"{VERSION}move/", "/models/forge/iris/aliases/set/"):
        assert (browser.get(dialog).status_code, browser.post(dialog, PRODUCTION).status_code) == (404, 404)


@pytest.mark.parametrize("gates", [1, 3])
def test_the_number_of_statements_does_not_grow(
    people: People, version: ModelVersion, django_assert_num_queries: DjangoAssertNumQueries, gates: int
) -> None:
    make_policy(
        gates=[{"kind": "tag", "params": {"key": str(n), "value": "x", "where": "version"}} for n in range(gates)]
    )
    browser = people.ada.browser()
    browser.get(f"{VERSION}ask/")
    with django_assert_num_queries(13):
        browser.get(f"{VERSION}ask/", headers=HTMX)


def test_the_dialog_shows_who_asked_already(people: People, version: ModelVersion) -> None:
    people.ada.browser().post(f"{VERSION}ask/", PRODUCTION)
    made = PromotionRequest.objects.get()
    page = people.ben.browser().get(f"{VERSION}ask/", headers=HTMX).content.decode()
    assert "ada asked for this already" in page
    assert f"/approvals/{made.pk}/" in page
