from __future__ import annotations

from typing import Any

import pytest

from apps.audit.models import Event
from apps.projects.models import Secret
from tests.api import call, names
from tests.personas import People, token_for

VALUE = "an-open-sesame-7f3a"


def put(people: People, name: str = "S3_KEY", value: str = VALUE, *, expect: int = 201, **more: str) -> Any:
    return call(people.max, "PUT", f"secrets/{name}/", {"value": value, **more}, expect=expect)


def test_a_maintainer_sets_replaces_and_deletes(people: People) -> None:
    made = put(people, description="the store's")
    assert (made["name"], made["description"], made["updated_by"], made["used_ms"]) == (
        *("S3_KEY", "the store's", "max", None),
    )
    again = put(people, value="other", expect=200)
    assert again["description"] == "the store's"
    assert again["updated_ms"] >= again["created_ms"] == made["created_ms"]
    call(people.max, "DELETE", "secrets/S3_KEY/", expect=204)
    call(people.max, "DELETE", "secrets/S3_KEY/", expect=404)
    assert Event.objects.filter(code="secret.set", team_name="forge").count() == 2
    assert Event.objects.filter(code="secret.deleted", object_name="S3_KEY").count() == 1


def test_members_see_names_and_nobody_a_value(people: People) -> None:
    put(people)
    for who in (people.ada, people.max):
        answer = who.request("GET", "/api/v1/secrets/")
        assert names(answer.json(), "name") == ["S3_KEY"]
        assert VALUE not in answer.content.decode()
        assert "value" not in answer.json()["results"][0]
    for who in (people.vera, people.cleo):
        assert call(who, "GET", "secrets/")["results"] == []


@pytest.mark.parametrize("who", ["ada", "vera", "cleo"])
def test_others_set_and_delete_none(people: People, who: str) -> None:
    put(people)
    caller = getattr(people, who)
    call(caller, "PUT", "secrets/S3_KEY/", {"value": "mine"}, expect=403)
    call(caller, "DELETE", "secrets/S3_KEY/", expect=403)
    assert Secret.objects.get().updated_by == "max"


def test_of_another_team_only_by_speaking_for_it(people: People) -> None:
    put(people)
    assert names(call(people.root, "GET", "secrets/"), "name") == []
    assert names(call(people.root, "GET", "secrets/", X_MLFLOW_WORKSPACE="forge"), "name") == ["S3_KEY"]
    call(people.cleo, "GET", "secrets/", expect=404, X_MLFLOW_WORKSPACE="forge")


def test_other_verbs_are_refused(people: People) -> None:
    put(people)
    for method, path in (("GET", "secrets/S3_KEY/"), ("PATCH", "secrets/S3_KEY/"), ("POST", "secrets/")):
        assert people.max.request(method, f"/api/v1/{path}").status_code == 405


@pytest.mark.parametrize(
    "name",
    [
        *("s3_key", "3KEY", "A-B", "A B", "A" * 101, "É", "A%0A", "A%00"),
        *("PATH", "HOME", "MLFLOW_TRACKING_TOKEN", "SLIPWAY_SECRET_KEY", "LD_PRELOAD", "PYTHONPATH", "BASH_ENV"),
        *("CUDA_VISIBLE_DEVICES", "PYTHONSTARTUP", "ENV"),
    ],
)
def test_names_that_no_variable_or_no_project_may_have(people: People, name: str) -> None:
    answer = people.max.request("PUT", f"/api/v1/secrets/{name}/", {"value": VALUE})
    assert answer.status_code in (400, 404)
    assert VALUE not in answer.content.decode()
    assert not Secret.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"value": ""},
        {"value": None},
        {"value": [VALUE]},
        {"value": f"{VALUE}\x00"},
        {"value": VALUE * 4000},
        {"value": "ü" * 33 * 1024},
        {"value": VALUE, "description": "x" * 501},
        {"value": VALUE, "description": "\x00"},
        f'{{"value": "{VALUE}\\ud800"}}',
        f'{{"value": "{VALUE}"',
    ],
)
def test_bad_values_are_refused_without_a_word_of_them(people: People, body: Any) -> None:
    answer = people.max.request("PUT", "/api/v1/secrets/S3_KEY/", body)
    assert answer.status_code == 400
    assert VALUE not in answer.content.decode()
    assert not Secret.objects.exists()


def test_blanks_and_line_breaks_are_kept_as_they_are(people: People) -> None:
    from apps.core.encryption import unseal

    put(people, value="  two\nlines \n")
    assert unseal(Secret.objects.get().sealed) == "  two\nlines \n"


def test_a_token_of_another_scope_is_refused(people: People) -> None:
    from apps.core.actor import Scope
    from tests.personas import Persona

    narrow = Persona(people.max.user, token_for(people.max.user, Scope.TRACKING))
    call(narrow, "GET", "secrets/", expect=403)
    call(narrow, "PUT", "secrets/S3_KEY/", {"value": VALUE}, expect=403)
    wide = Persona(people.max.user, token_for(people.max.user, Scope.PROJECTS))
    call(wide, "PUT", "secrets/S3_KEY/", {"value": VALUE}, expect=201)
