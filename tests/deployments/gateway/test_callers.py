"""Who may call a deployment, and how soon that changes."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from apps.accounts import actions
from apps.accounts.kinds import Target, kind_of
from apps.accounts.models import ObjectKind, Token
from apps.core.actor import Level, Role, Scope, system_actor
from apps.deployments.gateway.app import Gateway
from apps.deployments.models import Deployment
from tests.deployments.gateway.asking import act, ask, gateway, run, scope_of, send
from tests.deployments.gateway.making import make_deployment, make_instance, make_revision
from tests.deployments.gateway.models import PREDICTS, FakeModel
from tests.personas import PASSWORD, People, token_for
from tests.run_tokens import run_token


@pytest.fixture
def served(people: People, sockets: Path) -> str:
    """The address of the model that the deployment `iris` of the team forge has."""
    address = f"unix:{sockets}/one"
    make_instance(make_revision(make_deployment(people.forge)), address)
    return address


@asynccontextmanager
async def serving(address: str) -> AsyncIterator[tuple[Gateway, FakeModel]]:
    async with FakeModel(PREDICTS, Path(address.removeprefix("unix:"))) as model, gateway() as app:
        yield app, model


@pytest.mark.parametrize(("name", "status"), [("ada", 200), ("vera", 200), ("max", 200), ("root", 200), ("cleo", 404)])
def test_who_reads_it_calls_it(people: People, served: str, name: str, status: int) -> None:
    async def scenario() -> None:
        async with serving(served) as (app, model):
            met = await ask(app, getattr(people, name).token)
            assert met.status == status
            assert len(model.heard) == (1 if status == 200 else 0)

    run(scenario())


def test_what_is_not_seen_is_answered_as_what_is_not_there(people: People, served: str) -> None:
    async def scenario() -> None:
        async with serving(served) as (app, _):
            hidden = await ask(app, people.cleo.token)
            missing = await ask(app, people.ada.token, path="/serve/nothing/invocations")
            assert (hidden.status, missing.status) == (404, 404)
            assert hidden.json() == {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "No deployment 'iris'."}
            assert missing.json()["message"] == "No deployment 'nothing'."

    run(scenario())


@pytest.mark.parametrize("path", ["/serve/iris/invocations", "/serve/nothing/invocations", "/serve/x/../y", "/serve/"])
@pytest.mark.parametrize(
    "authorization", ["", "Bearer", "Bearer slw_not-a-token", "Basic !", "Digest x", "Bearer \xff\x00"]
)
def test_without_credentials_there_is_nothing(people: People, served: str, path: str, authorization: str) -> None:
    async def scenario() -> None:
        async with serving(served) as (app, model):
            headers: dict[str, Any] = {"authorization": authorization} if authorization else {}
            met = await ask(app, path=path, **headers)
            assert met.status == 401
            assert met.json() == {"error_code": "UNAUTHENTICATED", "message": "Sign in, or send an API token."}
            assert "Bearer" in met.headers["www-authenticate"]
            assert not model.heard

    run(scenario())


@pytest.mark.parametrize(
    ("scope", "status"), [(Scope.SERVE, 200), (Scope.ALL, 200), (Scope.READ, 403), (Scope.TRACKING, 403)]
)
def test_a_token_wants_the_scope(people: People, served: str, scope: Scope, status: int) -> None:
    token = token_for(people.ada.user, scope)

    async def scenario() -> None:
        async with serving(served) as (app, _):
            for path in ("/serve/iris/invocations", "/serve/nothing/invocations"):
                met = await ask(app, token, path=path)
                assert met.status == (status if status == 403 or "iris" in path else 404)

    run(scenario())


def test_a_token_or_password_may_be_that_of_basic(people: People, served: str) -> None:
    def basic(name: str, password: str) -> str:
        return "Basic " + b64encode(f"{name}:{password}".encode()).decode()

    async def scenario() -> None:
        async with serving(served) as (app, _):
            assert (await ask(app, authorization=basic("any", people.ada.token))).status == 200
            assert (await ask(app, authorization=basic("ada", PASSWORD))).status == 200
            assert (await ask(app, authorization=basic("ada", "another password"))).status == 401

    run(scenario())


def test_the_token_of_a_project_run_does_not_reach_it(people: People, served: str) -> None:
    token = run_token(people.ada, people.forge, None).token

    async def scenario() -> None:
        async with serving(served) as (app, model):
            met = await ask(app, token)
            assert (met.status, met.json()["error_code"]) == (403, "PERMISSION_DENIED")
            assert not model.heard

    run(scenario())


def test_a_revoked_token_stops_at_the_next_call(people: People, served: str) -> None:
    token = people.ada.user.tokens.get()

    async def scenario() -> None:
        async with serving(served) as (app, _):
            assert (await ask(app, people.ada.token)).status == 200
            await act(lambda: actions.revoke_token(people.ada.actor, token=token))
            assert (await ask(app, people.ada.token)).status == 401

    run(scenario())


def test_an_expired_token_stops(people: People, served: str) -> None:
    soon = timezone.now() + timedelta(milliseconds=300)
    Token.objects.filter(user=people.ada.user).update(expires_at=soon)

    async def scenario() -> None:
        async with serving(served) as (app, _):
            assert (await ask(app, people.ada.token)).status == 200
            while timezone.now() < soon:
                await asyncio.sleep(0.02)
            assert (await ask(app, people.ada.token)).status == 401

    run(scenario())


def test_a_disabled_person_stops_at_the_next_call(people: People, served: str) -> None:
    async def scenario() -> None:
        async with serving(served) as (app, _):
            assert (await ask(app, people.ada.token)).status == 200
            await act(lambda: actions.set_active(system_actor(), user=people.ada.user, is_active=False))
            assert (await ask(app, people.ada.token)).status == 401

    run(scenario())


def test_a_grant_lets_in_until_it_is_taken_back(people: People, served: str) -> None:
    system = system_actor()

    def find() -> Target:
        return kind_of(ObjectKind.DEPLOYMENT).find(system, str(Deployment.objects.get().pk), Level.MANAGE)

    async def scenario() -> None:
        async with serving(served) as (app, _):
            target = await act(find)
            assert (await ask(app, people.cleo.token)).status == 404
            await act(lambda: actions.give_grant(system, target=target, to=people.cleo.user, level=Level.READ))
            assert (await ask(app, people.cleo.token)).status == 200
            await act(lambda: actions.revoke_grant(system, target=target, to=people.cleo.user))
            assert (await ask(app, people.cleo.token)).status == 404

    run(scenario())


def test_who_joins_the_team_gets_in_at_the_next_call(people: People, served: str) -> None:
    async def scenario() -> None:
        async with serving(served) as (app, _):
            assert (await ask(app, people.cleo.token)).status == 404
            await act(
                lambda: actions.add_member(system_actor(), team=people.forge, user=people.cleo.user, role=Role.VIEWER)
            )
            assert (await ask(app, people.cleo.token)).status == 200

    run(scenario())


def _cookies(people: People) -> tuple[str, str]:
    """The cookies of Ada's browser, and its CSRF token."""
    browser = people.ada.browser()
    browser.get("/")
    csrf = "a" * 32
    return f"slipway_session={browser.cookies['slipway_session'].value}; slipway_csrf={csrf}", csrf


def test_our_pages_call_with_their_session(people: People, served: str) -> None:
    cookie, csrf = _cookies(people)
    origin = "http://testserver"

    async def scenario() -> None:
        async with serving(served) as (app, model):
            met = await ask(app, cookie=cookie, origin=origin, x_csrftoken=csrf)
            assert met.status == 200
            assert not {"cookie", "x-csrftoken", "origin"} & set(model.heard[0].headers)

    run(scenario())


@pytest.mark.parametrize(
    ("origin", "sends_token"), [("http://testserver", False), ("http://evil.example", True), ("null", True)]
)
def test_pages_of_others_do_not(people: People, served: str, origin: str, sends_token: bool) -> None:
    cookie, csrf = _cookies(people)

    async def scenario() -> None:
        async with serving(served) as (app, model):
            headers: dict[str, Any] = {"x_csrftoken": csrf} if sends_token else {}
            met = await ask(app, cookie=cookie, origin=origin, **headers)
            assert met.status == 403
            assert not model.heard

    run(scenario())


def test_a_session_that_ended_does_not(people: People, served: str) -> None:
    async def scenario() -> None:
        async with serving(served) as (app, _):
            assert (await ask(app, cookie="slipway_session=nothing", x_csrftoken="a" * 32)).status == 401
            assert (await ask(app, cookie="other=1")).status == 401

    run(scenario())


def test_without_a_login_this_machine_alone_is_answered(people: People, served: str, settings: Any) -> None:
    settings.NO_LOGIN = True
    own = [("host", "127.0.0.1:5000"), ("content-length", "2")]

    async def scenario() -> None:
        async with serving(served) as (app, _):
            assert (await send(app, scope_of(headers=own), [b"{}"])).status == 200
            foreign = [*own, ("origin", "http://evil.example")]
            assert (await send(app, scope_of(headers=foreign), [b"{}"])).status == 403
            distant = scope_of(headers=own) | {"client": ("10.0.0.9", 1234)}
            assert (await send(app, distant, [b"{}"])).status == 403
            rebound = [("host", "evil.example"), ("content-length", "2")]
            assert (await send(app, scope_of(headers=rebound), [b"{}"])).status == 400

    run(scenario())


def test_a_strange_host_is_refused(people: People, served: str) -> None:
    async def scenario() -> None:
        async with serving(served) as (app, _):
            met = await ask(app, people.ada.token, host="evil.example")
            assert met.status == 400
            assert "SLIPWAY_PUBLIC_URL" in met.json()["message"]

    run(scenario())
