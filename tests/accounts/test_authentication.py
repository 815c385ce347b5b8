from __future__ import annotations

import base64
from typing import Any

import pytest
from django.test import Client, override_settings

from apps.accounts import actions, throttling
from apps.audit.models import Event
from apps.core.actor import Role, Scope, system_actor
from tests.personas import PASSWORD, People, Persona, token_for

HERE = "/api/2.0/mlflow/users/current"
ALG_NONE = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9."


def ask(authorization: str | None, path: str = HERE, address: str = "10.0.0.1", **headers: str) -> Any:
    extra: dict[str, Any] = {"REMOTE_ADDR": address, **headers}
    if authorization is not None:
        extra["HTTP_AUTHORIZATION"] = authorization
    return Client().get(path, **extra)


def basic(username: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


def test_token_as_bearer_and_as_the_password_of_basic(people: People) -> None:
    for header in (f"Bearer {people.ada.token}", f"bearer  {people.ada.token}", basic("token", people.ada.token)):
        answer = ask(header)
        assert (answer.status_code, answer.json()["user"]["username"]) == (200, "ada")


def test_password_of_basic_twice(people: People) -> None:
    for _ in range(2):
        assert ask(basic("ada", PASSWORD)).json()["user"]["username"] == "ada"


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer null",
        f"Bearer {ALG_NONE}",
        "Bearer " + "x" * 8000,
        "Bearer \x00",
        "Basic",
        "Basic !!!",
        "Basic ÿÿÿÿ",
        "Basic " + base64.b64encode(b"\xff\xfe:x").decode(),
        "Basic " + base64.b64encode(b"no-colon").decode(),
        basic("ada\x00", PASSWORD),
        basic("ada", PASSWORD + "\x00"),
        basic("ada", ""),
        basic("", PASSWORD),
        basic("admin", "password"),
        basic("admin", "password1234"),
        basic("admin", "admin"),
        "Digest username=ada",
        "\udcff",
    ],
)
def test_junk_is_401(people: People, header: str) -> None:
    answer = ask(header)
    assert answer.status_code == 401
    assert answer.json()["error_code"] == "UNAUTHENTICATED"
    assert answer["WWW-Authenticate"].startswith("Basic")


@pytest.mark.parametrize("spoil", [lambda t: t[:-4], str.swapcase, lambda t: t + "x", lambda t: t.replace("_", "-")])
def test_a_spoilt_token_is_401(people: People, spoil: Any) -> None:
    assert ask(f"Bearer {spoil(people.ada.token)}").status_code == 401


@pytest.mark.parametrize("header", ["X_FORWARDED_USER", "REMOTE_USER", "X_ORIGINAL_URL", "X_REWRITE_URL"])
def test_headers_of_proxies_prove_nothing(people: People, header: str) -> None:
    assert ask(None, **{f"HTTP_{header}": "root"}).status_code == 401


def test_revoked_and_expired_tokens_stop_at_the_next_call(
    people: People, django_capture_on_commit_callbacks: Any
) -> None:
    assert ask(f"Bearer {people.ada.token}").status_code == 200
    with django_capture_on_commit_callbacks(execute=True):
        actions.revoke_token(system_actor(), token=people.ada.user.tokens.get())
    assert ask(f"Bearer {people.ada.token}").status_code == 401


def test_a_disabled_account_stops_at_the_next_call(people: People, django_capture_on_commit_callbacks: Any) -> None:
    browser = people.ada.browser()
    assert ask(f"Bearer {people.ada.token}").status_code == 200
    assert ask(basic("ada", PASSWORD)).status_code == 200
    with django_capture_on_commit_callbacks(execute=True):
        actions.set_active(system_actor(), user=people.ada.user, is_active=False)
    assert ask(f"Bearer {people.ada.token}").status_code == 401
    assert ask(basic("ada", PASSWORD)).status_code == 401
    assert browser.get("/settings/").status_code == 302


def test_a_changed_role_acts_at_the_next_call(people: People, django_capture_on_commit_callbacks: Any) -> None:
    people.ben.call("POST", "experiments/create", {"name": "before"})
    with django_capture_on_commit_callbacks(execute=True):
        actions.set_role(system_actor(), team=people.forge, user=people.ben.user, role=Role.VIEWER)
    people.ben.call("POST", "experiments/create", {"name": "after"}, expect=403)


def test_the_old_password_stops_at_the_next_call(people: People, django_capture_on_commit_callbacks: Any) -> None:
    assert ask(basic("ada", PASSWORD)).status_code == 200
    with django_capture_on_commit_callbacks(execute=True):
        actions.change_password(system_actor(), user=people.ada.user, password="another long phrase")
    assert ask(basic("ada", PASSWORD)).status_code == 401
    assert ask(basic("ada", "another long phrase")).status_code == 200


def test_service_accounts_have_no_password(people: People) -> None:
    actions.create_user(system_actor(), username="bot", password=None, is_service=True, team=people.forge)
    assert ask(basic("bot", "!")).status_code == 401


@pytest.mark.parametrize("username", ["ada", "nobody-at-all"])
def test_wrong_passwords_are_throttled_and_recorded(people: People, username: str) -> None:
    statuses = [ask(basic(username, f"wrong {n}")).status_code for n in range(60)]
    limit = throttling.PER_ACCOUNT_AND_ADDRESS
    assert statuses == [401] * limit + [429] * (60 - limit)
    refused = ask(basic(username, "wrong"))
    assert int(refused["Retry-After"]) > 0
    assert refused.json()["error_code"] == "REQUEST_LIMIT_EXCEEDED"
    assert Event.objects.filter(code="user.sign_in_failed").count() == limit
    assert Event.objects.filter(code="user.sign_in_locked").count() == 1
    assert not Event.objects.filter(object_name="nobody-at-all").exists()


def test_unknown_and_wrong_get_the_same_answer(people: People) -> None:
    wrong, unknown = ask(basic("ada", "wrong")), ask(basic("nobody", "wrong"))
    assert (wrong.status_code, wrong.content) == (unknown.status_code, unknown.content)


def test_an_account_is_locked_from_many_addresses(people: People) -> None:
    statuses = {ask(basic("ada", f"wrong {n}"), address=f"10.0.1.{n}").status_code for n in range(60)}
    assert statuses == {401, 429}


def test_a_correct_token_is_never_refused_for_others_failures(people: People) -> None:
    for n in range(throttling.PER_ADDRESS + 5):
        ask(basic(f"nobody-{n}", "wrong"))
    for _ in range(throttling.TOKENS_PER_ADDRESS + 5):
        last = ask("Bearer slw_" + "0" * 12 + "_" + "0" * 40)
    assert last.status_code == 429
    assert ask(basic("ben", "wrong")).status_code == 429
    assert ask(f"Bearer {people.ada.token}").status_code == 200
    assert ask(basic("token", people.ada.token)).status_code == 200


def test_the_header_names_the_team(people: People, django_capture_on_commit_callbacks: Any) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        actions.add_member(system_actor(), team=people.harbour, user=people.ada.user, role=Role.MEMBER)
    made = people.ada.call("POST", "experiments/create", {"name": "x"}, X_MLFLOW_WORKSPACE="harbour")
    people.cleo.call("GET", "experiments/get", {"experiment_id": made["experiment_id"]})
    people.ben.call("GET", "experiments/get", {"experiment_id": made["experiment_id"]}, expect=404)


@pytest.mark.parametrize("name", ["harbour", "nowhere", "x" * 5000, "é"])
def test_a_team_that_one_is_not_in(people: People, name: str) -> None:
    people.ben.call("POST", "experiments/create", {"name": "x"}, X_MLFLOW_WORKSPACE=name, expect=404)


@pytest.mark.parametrize(
    ("scope", "path", "status"),
    [
        (Scope.READ, "users/current", 200),
        (Scope.TRACKING, "users/list", 403),
        (Scope.SERVE, "users/list", 403),
    ],
)
def test_scopes_of_reads(people: People, scope: Scope, path: str, status: int) -> None:
    Persona(people.ada.user, token_for(people.ada.user, scope)).call("GET", path, expect=status)


@pytest.mark.parametrize("scope", [scope for scope in Scope if scope is not Scope.ALL])
def test_limited_tokens_change_no_accounts(people: People, scope: Scope) -> None:
    limited = Persona(people.root.user, token_for(people.root.user, scope))
    limited.call("POST", "users/create", {"username": "eve", "password": PASSWORD}, expect=403)


def test_a_read_token_writes_nothing(people: People) -> None:
    reader = Persona(people.ada.user, token_for(people.ada.user, Scope.READ))
    reader.call("POST", "experiments/create", {"name": "x"}, expect=403)


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://testserver.evil.example", "http://["])
def test_writes_of_foreign_pages_are_refused(people: People, origin: str) -> None:
    answer = people.ada.request("POST", "/api/2.0/mlflow/experiments/create", {"name": "x"}, origin=origin)
    assert answer.status_code == 403
    assert "Access-Control-Allow-Origin" not in answer


class TestWithoutLogin:
    """`--no-login`: everybody on this machine is the administrator, and nobody else is answered."""

    def test_api_and_pages_need_no_credentials(self, people: People) -> None:
        with override_settings(NO_LOGIN=True, ADMIN_USERNAME="root"):
            answer = ask(None, address="127.0.0.1", HTTP_HOST="localhost:5000")
            assert answer.json()["user"] == {"id": people.root.user.pk, "username": "root", "is_admin": True}
            assert ask(None, "/settings/", "127.0.0.1", HTTP_HOST="127.0.0.1:5000").status_code == 200

    @pytest.mark.parametrize("path", [HERE, "/settings/"])
    @pytest.mark.parametrize(
        ("host", "address", "origin", "status"),
        [
            ("evil.example", "127.0.0.1", "", 400),
            ("192.168.1.5", "127.0.0.1", "", 400),
            ("testserver", "127.0.0.1", "", 400),
            ("localhost", "192.168.1.9", "", 403),
            ("localhost", "127.0.0.1", "https://evil.example", 403),
        ],
    )
    def test_others_are_refused(
        self, people: People, path: str, host: str, address: str, origin: str, status: int
    ) -> None:
        more = {"HTTP_ORIGIN": origin} if origin else {}
        with override_settings(NO_LOGIN=True, ADMIN_USERNAME="root"):
            assert ask(None, path, address, HTTP_HOST=host, **more).status_code == status
