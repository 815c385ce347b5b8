from __future__ import annotations

import pytest
from django.template.loader import render_to_string
from django.test import Client

from tests.personas import People


def test_not_found_is_a_page_of_the_design(people: People) -> None:
    answer = people.ada.browser().get("/experiments/424242/")
    assert answer.status_code == 404
    assert "error-page" in answer.content.decode()
    assert "Traceback" not in answer.content.decode()


def test_an_address_that_leads_nowhere(people: People) -> None:
    answer = people.ada.browser().get("/no/such/page/")
    assert answer.status_code == 404
    assert "error-page" in answer.content.decode()


def test_a_verb_that_a_page_does_not_take(people: People) -> None:
    answer = people.ada.browser().post("/experiments/")
    assert answer.status_code == 405
    assert answer["Allow"] == "GET, HEAD"
    assert "error-page" in answer.content.decode()


def test_a_form_of_another_site(people: People) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(people.ada.user, backend="allauth.account.auth_backends.AuthenticationBackend")
    answer = browser.post("/experiments/new/", {"name": "x"})
    assert answer.status_code == 403
    assert "too old" in answer.content.decode()


@pytest.mark.parametrize("name", ["400", "403", "404", "500", "403_csrf"])
def test_the_bare_pages_need_no_context_and_no_database(name: str) -> None:
    assert "Slipway" in render_to_string(f"{name}.html")
