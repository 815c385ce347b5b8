from __future__ import annotations

import pytest
from pytest_django import DjangoAssertNumQueries

from apps.accounts import actions as accounts
from apps.core.actor import Role, system_actor
from apps.registry import actions
from apps.registry.models import Override
from tests.personas import PASSWORD, People, Persona, token_for
from tests.registry.models import make_model, make_version
from tests.registry.web.asking import HTMX, make_policy

URL = "/settings/overrides/"


@pytest.fixture
def override(people: People) -> Override:
    """Root went past the policy of Production."""
    make_policy(override_by="site")
    version = make_version(people.ada, make_model(people.ada))
    actions.move_version(people.root.actor, version=version, stage="Production", comment="the old one burns")
    return Override.objects.get()


@pytest.fixture
def rhea(people: People) -> Persona:
    """One more administrator of the site."""
    user = accounts.create_user(
        system_actor(), username="rhea", password=PASSWORD, team=people.harbour, role=Role.ADMIN, is_admin=True
    )
    return Persona(user, token_for(user))


def test_somebody_else_looks_at_it(people: People, override: Override, rhea: Persona) -> None:
    assert "the old one burns" in rhea.browser().get(URL).content.decode()
    assert (
        people.root.browser().post(f"{URL}{override.pk}/review/", {"review": "I was right"}, headers=HTMX).status_code
        == 422
    )
    assert rhea.browser().post(f"{URL}{override.pk}/review/", {"review": "It did burn."}).status_code == 302
    assert "Nothing to look at" in rhea.browser().get(URL).content.decode()
    page = people.root.browser().get(URL, {"all": "1"}).content.decode()
    assert ("It did burn." in page, "pill-warn" in page) == (True, False)


def test_a_second_review_is_refused_in_place(people: People, override: Override, rhea: Persona) -> None:
    rhea.browser().post(f"{URL}{override.pk}/review/", {"review": "fine"})
    again = rhea.browser().post(f"{URL}{override.pk}/review/", {"review": "no"}, headers=HTMX)
    assert (again.status_code, "reviewed this already" in again.content.decode()) == (422, True)


def test_the_only_administrator_reviews_alone_and_it_shows(people: People, override: Override) -> None:
    people.root.browser().post(f"{URL}{override.pk}/review/", {"review": "I was alone."})
    assert "pill-warn" in people.root.browser().get(URL, {"all": "1"}).content.decode()


def test_others_see_none(people: People, override: Override) -> None:
    for persona in (people.cleo, people.ada, people.max):
        assert "the old one burns" not in persona.browser().get(URL, {"all": "1"}).content.decode()
        assert persona.browser().post(f"{URL}{override.pk}/review/", {"review": "x"}).status_code == 404


@pytest.mark.parametrize("form", [{"review": " "}, {"review": "\x00"}, {"review": "x" * 70_000}])
def test_odd_input_is_refused_in_place(override: Override, rhea: Persona, form: dict[str, str]) -> None:
    assert rhea.browser().post(f"{URL}{override.pk}/review/", form, headers=HTMX).status_code == 422


def test_the_number_of_statements(
    people: People, override: Override, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    browser = people.root.browser()
    browser.get(URL)
    with django_assert_num_queries(6):
        browser.get(URL)
