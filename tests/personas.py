"""The people of the tests: `forge` has Ada, Ben, Vera and Max, `harbour` has Cleo; Root administers the site."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django.test import Client

from apps.accounts import actions
from apps.accounts.authentication import actor_of_user
from apps.accounts.models import Team, User
from apps.core.actor import Actor, Role, Scope, Via, system_actor

PASSWORD = "correct horse battery"


@dataclass(frozen=True)
class Persona:
    """Somebody who calls the server: `api` with a token, `browser()` signed in."""

    user: User
    token: str

    @property
    def actor(self) -> Actor:
        return actor_of_user(self.user, Via.SESSION)

    @property
    def name(self) -> str:
        return self.user.username

    def browser(self) -> Client:
        client = Client()
        client.force_login(self.user, backend="allauth.account.auth_backends.AuthenticationBackend")
        return client

    def request(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """One API call; the answer is Django's response."""
        extra: dict[str, Any] = {"HTTP_AUTHORIZATION": f"Bearer {self.token}"}
        extra |= {f"HTTP_{name.upper()}": value for name, value in headers.items()}
        if method == "GET":
            return Client().get(path, body or {}, **extra)
        data = body if isinstance(body, (bytes, str)) else json.dumps({} if body is None else body)
        return Client().generic(method, path, data, content_type="application/json", **extra)

    def call(self, method: str, path: str, body: Any = None, *, expect: int = 200, **headers: str) -> Any:
        """One protocol call below `/api/2.0/mlflow/`; the answer is its JSON."""
        response = self.request(method, f"/api/2.0/mlflow/{path}", body, **headers)
        assert response.status_code == expect, (response.status_code, response.content)
        return response.json()


@dataclass(frozen=True)
class People:
    """Everybody. Ada owns what the tests make; Ben, Vera and Max share her team; Cleo is an outsider."""

    ada: Persona
    ben: Persona
    vera: Persona
    max: Persona
    cleo: Persona
    root: Persona
    forge: Team
    harbour: Team


def make_people() -> People:
    """Create teams and people in the test's database."""
    system = system_actor()
    forge = actions.create_team(system, name="forge")
    harbour = actions.create_team(system, name="harbour")

    def person(name: str, team: Team, role: Role, *, is_admin: bool = False) -> Persona:
        user = actions.create_user(system, username=name, password=PASSWORD, team=team, role=role, is_admin=is_admin)
        return Persona(user, token_for(user))

    return People(
        ada=person("ada", forge, Role.MEMBER),
        ben=person("ben", forge, Role.MEMBER),
        vera=person("vera", forge, Role.VIEWER),
        max=person("max", forge, Role.MAINTAINER),
        cleo=person("cleo", harbour, Role.MEMBER),
        root=person("root", harbour, Role.ADMIN, is_admin=True),
        forge=forge,
        harbour=harbour,
    )


def token_for(user: User, *scopes: Scope, team: Team | None = None) -> str:
    """A token of a person, with all scopes unless some are named."""
    wanted = scopes or (Scope.ALL,)
    return str(actions.create_token(system_actor(), user=user, name="test", team=team, scopes=wanted)[1])
