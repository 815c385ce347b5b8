from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from apps.accounts.models import User
from apps.accounts.tokens import TokenText
from tests.personas import PASSWORD, People, Persona


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue().strip()


def test_a_person_with_a_role(people: People, monkeypatch: Any) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("a fine long phrase\n"))
    run("user", "create", "eve", "--team", "forge", "--role", "viewer", "--password-stdin")
    eve = User.objects.get(username="eve")
    assert eve.check_password("a fine long phrase")
    assert [(m.team.name, m.role) for m in eve.memberships.all()] == [("forge", "viewer")]


def test_a_token_alone_on_stdout_works(people: People) -> None:
    printed = run("token", "create", "ada", "--name", "laptop", "--scope", "read", "--expires", "3")
    assert TokenText.parse(printed)
    assert Persona(people.ada.user, printed).call("GET", "users/current")["user"]["username"] == "ada"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["token", "create", "nobody"], "User with username=nobody not found"),
        (["token", "create", "ada", "--team", "harbour"], "ada is not in the team harbour"),
        (["token", "create", "ada", "--team", "nowhere"], "Workspace 'nowhere' not found"),
        (["token", "create", "ada", "--expires", "0"], "--expires"),
        (["user", "create", "ada", "--team", "forge", "--password-stdin"], "already exists"),
        (["user", "create", "eve", "--team", "forge"], "--password-stdin"),
    ],
)
def test_errors_are_one_line(people: People, monkeypatch: Any, arguments: list[str], message: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(PASSWORD + "\n"))
    with pytest.raises(CommandError, match=message) as caught:
        run(*arguments)
    assert "\n" not in str(caught.value)
