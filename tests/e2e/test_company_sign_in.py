"""People of a company on a site that takes no passwords, with a real provider: in, up, down and out again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from tests.accounts.oidc import real
from tests.e2e.browser import chromium, overflow
from tests.servers import ADMIN_PASSWORD, Server, free_port, slipway_up

PHONE = {"width": 390, "height": 844}
EVE = {"preferred_username": "eve", "email": "eve@example.org", "email_verified": True, "groups": ["ml"]}


@pytest.fixture(scope="module")
def provider_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("provider")
    real.install(home)
    return home


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as one:
        yield one


@pytest.fixture(scope="module")
def site(provider_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, str]]:
    """A site without passwords, and the address of a provider that does not run yet."""
    issuer = f"http://127.0.0.1:{free_port()}"
    env = {
        "SLIPWAY_OIDC_ISSUER": issuer,
        "SLIPWAY_OIDC_CLIENT_ID": "slipway",
        "SLIPWAY_OIDC_CLIENT_SECRET": "a secret of the client",
        "SLIPWAY_OIDC_NAME": "Harbour ID",
        "SLIPWAY_OIDC_SCOPES": "openid profile email groups",
        "SLIPWAY_OIDC_GROUPS": "ml=forge:member; leads=forge:maintainer; ops=admin",
        "SLIPWAY_PASSWORD_SIGN_IN": "false",
    }
    with slipway_up(tmp_path_factory.mktemp("company"), **env) as server:
        answer = _call(server, "POST", "v1/teams/", {"name": "forge"})
        assert answer.status_code == 201, answer.text
        yield server, issuer


@pytest.mark.browser
def test_a_company_signs_in(site: tuple[Server, str], browser: Any, provider_home: Path) -> None:
    server, issuer = site
    _the_provider_is_away(server, browser)
    redirect, port = f"{server.url}/login/oidc/callback/", int(issuer.rpartition(":")[2])
    with real.real_provider(provider_home, port, redirect=redirect, people={"e-1": EVE}) as provider:
        page = browser.new_page(base_url=server.url)
        page.goto("/experiments/?q=iris")
        assert page.locator("input[name=password]").count() == 0
        _sign_in(page, "e-1")
        assert page.url == f"{server.url}/experiments/?q=iris"
        assert _teams(page) == ["forge member"]
        provider.set_people(**{"e-1": EVE | {"groups": ["ml", "leads", "ops"]}})
        _again(page)
        assert _teams(page) == ["forge maintainer"]
        assert page.goto("/settings/users/").status == 200
        provider.set_people(**{"e-1": EVE | {"groups": []}})
        _again(page)
        assert _teams(page) == []
        assert page.goto("/settings/users/").status == 403
        _breaks_off(browser, server)
    codes = [event["code"] for event in _call(server, "GET", "v1/audit-events/?page_size=100").json()["results"]]
    for code in ("user.created", "team.member_added", "team.member_changed", "team.member_removed"):
        assert codes.count(code) >= 1, codes
    assert codes.count("user.admin_changed") == 2


@pytest.mark.browser
def test_a_locked_out_administrator_comes_in_by_a_link(site: tuple[Server, str], browser: Any) -> None:
    server, _ = site
    link = server.command("user", "sign-in-link", "admin")
    page = browser.new_page(base_url=server.url, viewport=PHONE)
    link = urlsplit(link).path
    page.goto(link)
    assert overflow(page) <= 0
    page.get_by_role("button", name="Sign in as admin").click()
    page.wait_for_url(f"{server.url}/")
    assert page.goto("/settings/users/").status == 200
    other = browser.new_page(base_url=server.url)
    assert other.goto(link).status == 404
    assert server.command("audit", "verify")


def test_passwords_are_no_good(site: tuple[Server, str]) -> None:
    server, _ = site
    url = f"{server.url}/api/v1/me/"
    assert requests.get(url, auth=("admin", ADMIN_PASSWORD), timeout=20).status_code == 401
    assert requests.get(url, auth=("admin", server.token), timeout=20).status_code == 200
    assert _call(server, "GET", "v1/me/").status_code == 200


def _the_provider_is_away(server: Server, browser: Any) -> None:
    page = browser.new_page(base_url=server.url, viewport=PHONE)
    page.goto("/login/")
    assert overflow(page) <= 0
    page.get_by_role("link", name="Sign in with Harbour ID").click()
    page.get_by_role("heading", name="Not signed in").wait_for()
    assert overflow(page) <= 0
    page.get_by_role("link", name="Back to sign in").click()
    page.wait_for_url("**/login/")


def _breaks_off(browser: Any, server: Server) -> None:
    page = browser.new_page(base_url=server.url)
    page.goto("/login/")
    page.get_by_role("link", name="Sign in with Harbour ID").click()
    page.get_by_role("link", name=re.compile("Cancel")).click()
    page.get_by_role("heading", name="Not signed in").wait_for()
    assert "did not let you in" in page.content()


def _sign_in(page: Any, subject: str) -> None:
    """By the button; the provider asks who it is, if it does not know by its own session."""
    page.get_by_role("link", name="Sign in with Harbour ID").click()
    if "/interaction/" in page.url:
        page.fill("input[name=login]", subject)
        page.fill("input[name=password]", "any")
        page.get_by_role("button", name="Sign-in").click()
    page.wait_for_url(lambda url: "/experiments/" in url)


def _again(page: Any) -> None:
    page.context.clear_cookies(name="slipway_session")
    page.goto("/experiments/")
    _sign_in(page, "e-1")


def _teams(page: Any) -> list[str]:
    """The person's teams and roles, as the server knows them."""
    me = page.request.get("/api/v1/me/").json()
    return sorted(f"{team['name']} {team['role']}" for team in me["teams"])


def _call(server: Server, method: str, path: str, body: Any = None) -> requests.Response:
    headers = {"Authorization": f"Bearer {server.token}"}
    return requests.request(method, f"{server.url}/api/{path}", json=body, headers=headers, timeout=20)
