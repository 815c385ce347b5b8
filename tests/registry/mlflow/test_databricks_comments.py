from __future__ import annotations

from typing import Any

import pytest

from apps.accounts.actions import set_role
from apps.core.actor import Role, system_actor
from apps.registry.models import Comment, ModelVersion
from tests.personas import People, Persona
from tests.registry.promotion.making import make_model, make_version

ON_IT = {"name": "iris", "version": "1"}


@pytest.fixture
def version(people: People) -> ModelVersion:
    return make_version(people.ada, make_model(people.ada, "iris"))


def say(who: Persona, text: str, expect: int = 200) -> Any:
    return who.call("POST", "comments/create", {**ON_IT, "comment": text}, expect=expect)


def test_a_comment_is_made_changed_listed_and_deleted(people: People, version: ModelVersion) -> None:
    made = say(people.vera, "Look at *this*.")["comment"]
    assert (made["user_id"], made["comment"]) == ("vera", "Look at *this*.")
    assert made["available_actions"] == ["EDIT_COMMENT", "DELETE_COMMENT"]
    changed = people.vera.call("PATCH", "comments/update", {"id": made["id"], "comment": "Seen."})["comment"]
    assert (changed["id"], changed["comment"]) == (made["id"], "Seen.")
    assert changed["last_updated_timestamp"] >= changed["creation_timestamp"]
    say(people.ben, "Yes.")
    seen = people.max.call("GET", "comments/list", ON_IT)["comments"]
    assert [(each["user_id"], each["comment"]) for each in seen] == [("vera", "Seen."), ("ben", "Yes.")]
    assert people.vera.call("DELETE", "comments/delete", {"id": made["id"]}) == {}
    people.vera.call("DELETE", "comments/delete", {"id": made["id"]}, expect=404)


def test_who_administers_the_team_deletes(people: People, version: ModelVersion) -> None:
    set_role(system_actor(), team=people.forge, user=people.max.user, role=Role.ADMIN)
    say(people.ben, "Spam.")
    seen = people.max.call("GET", "comments/list", ON_IT)["comments"][0]
    assert seen["available_actions"] == ["DELETE_COMMENT"]
    people.max.call("PATCH", "comments/update", {"id": seen["id"], "comment": "Ham."}, expect=403)
    people.max.call("DELETE", "comments/delete", {"id": seen["id"]})
    assert not Comment.objects.exists()


def test_it_is_among_the_activities(people: People, version: ModelVersion) -> None:
    kept, gone = say(people.ben, "Fine.")["comment"], say(people.ben, "Oops.")["comment"]
    people.ben.call("DELETE", "comments/delete", {"id": gone["id"]})
    found = people.max.call("GET", "activities/list", ON_IT)["activities"]
    assert [(each["activity_type"], each.get("comment")) for each in found] == [
        ("NEW_COMMENT", kept["comment"]),
        ("NEW_COMMENT", None),
    ]


def test_it_may_be_deleted_by_query(people: People, version: ModelVersion) -> None:
    made = say(people.ada, "x")["comment"]
    answer = people.ada.request("DELETE", f"/api/2.0/mlflow/comments/delete?id={made['id']}", b"")
    assert (answer.status_code, Comment.objects.count()) == (200, 0)


def test_what_others_wrote_stays(people: People, version: ModelVersion) -> None:
    made = say(people.ada, "mine")["comment"]
    for who, expect in ((people.ben, 403), (people.vera, 403), (people.cleo, 404)):
        who.call("PATCH", "comments/update", {"id": made["id"], "comment": "theirs"}, expect=expect)
        who.call("DELETE", "comments/delete", {"id": made["id"]}, expect=expect)
    say(people.cleo, "x", 404)
    people.cleo.call("GET", "comments/list", ON_IT, expect=404)
    assert Comment.objects.get().text == "mine"


@pytest.mark.parametrize("text", ["", "   ", "x" * 65_536, "a\x00b", "\ud800"])
def test_what_is_no_comment(people: People, version: ModelVersion, text: str) -> None:
    say(people.ada, text, 400)
    assert not Comment.objects.exists()


@pytest.mark.parametrize("key", ["0", "-1", "x", "9" * 18, "9" * 50, "1 "])
def test_ids_of_no_comment(people: People, version: ModelVersion, key: str) -> None:
    people.ada.call("PATCH", "comments/update", {"id": key, "comment": "x"}, expect=404)


def test_pages(people: People, version: ModelVersion) -> None:
    for text in "abc":
        say(people.ada, text)
    first = people.ada.call("GET", "comments/list", {**ON_IT, "max_results": 2})
    rest = people.ada.call("GET", "comments/list", {**ON_IT, "page_token": first["next_page_token"]})
    assert [each["comment"] for each in first["comments"] + rest["comments"]] == ["a", "b", "c"]
