"""Models and versions by `/api/v1/`."""

from __future__ import annotations

from typing import Any

import pytest

from apps.registry.models import Alias, ModelVersion, RegisteredModel
from tests.api import call, names
from tests.personas import People
from tests.registry.promotion.making import make_model, make_version

SOURCE = f"runs:/{'0' * 32}/model"
IRIS = "models/forge/iris"


def test_from_a_name_to_a_version(people: People) -> None:
    made = call(people.ada, "POST", "models/", {"name": "iris", "tags": {"kind": "svm"}}, expect=201)
    assert (made["team"], made["owner"], made["tags"], made["newest"]) == ("forge", "ada", {"kind": "svm"}, None)
    version = call(people.ben, "POST", f"{IRIS}/versions/", {"source": SOURCE, "description": "first"}, expect=201)
    assert (version["version"], version["stage"], version["is_broken"], version["owner"]) == (1, "None", True, "ben")
    call(people.ben, "PUT", f"{IRIS}/aliases/best/", {"version": 1})
    shown = call(people.vera, "GET", f"{IRIS}/")
    assert (shown["versions"], shown["aliases"]) == (1, [{"alias": "best", "version": 1}])
    assert names(call(people.vera, "GET", "models/", {"text": "IRI"}), "name") == ["iris"]
    assert call(people.cleo, "GET", "models/")["results"] == []


def test_changes(people: People) -> None:
    make_version(people.ada, make_model(people.ada, "iris"))
    assert call(people.ben, "PATCH", f"{IRIS}/", {"description": "*new*"})["description"] == "*new*"
    call(people.ben, "PATCH", f"{IRIS}/", {"name": "lily"}, expect=403)
    assert call(people.max, "PATCH", f"{IRIS}/", {"name": "lily"})["name"] == "lily"
    moved = call(people.max, "POST", "models/forge/lily/versions/1/stage/", {"stage": "production", "comment": "x"})
    assert moved["stage"] == "Production"
    call(people.ada, "DELETE", "models/forge/lily/versions/1/", expect=403)
    call(people.max, "DELETE", "models/forge/lily/versions/1/", expect=204)
    call(people.max, "DELETE", "models/forge/lily/", expect=204)
    assert not RegisteredModel.objects.exists()


def test_the_list_takes_filters_of_the_protocol(people: People) -> None:
    call(people.ada, "POST", "models/", {"name": "iris", "tags": {"domain": "flowers"}}, expect=201)
    make_model(people.ada, "credit")
    for text, found in (("tags.domain = 'flowers'", ["iris"]), ("name LIKE 'cr%'", ["credit"]), ("domain", [])):
        assert names(call(people.vera, "GET", "models/", {"text": text}), "name") == found
    call(people.vera, "GET", "models/", {"text": "owner = 'ada'"}, expect=400)


def test_names_of_any_letters_are_found(people: People) -> None:
    make_model(people.ada, "Schwertlilie & co. 鳶尾")
    assert call(people.vera, "GET", "models/forge/Schwertlilie%20%26%20co.%20%E9%B3%B6%E5%B0%BE/")["team"] == "forge"


def test_aliases_come_and_go(people: People) -> None:
    make_version(people.ada, make_model(people.ada, "iris"))
    call(people.ada, "PUT", f"{IRIS}/aliases/best/", {"version": 1})
    assert call(people.vera, "GET", f"{IRIS}/aliases/")["results"] == [{"alias": "best", "version": 1}]
    call(people.ada, "PUT", f"{IRIS}/aliases/best/", {"version": 2}, expect=404)
    call(people.ada, "DELETE", f"{IRIS}/aliases/best/", expect=204)
    assert not Alias.objects.exists()


def test_comments(people: People) -> None:
    make_version(people.ada, make_model(people.ada, "iris"))
    said = call(people.vera, "POST", f"{IRIS}/versions/1/comments/", {"text": "Look."}, expect=201)
    call(people.vera, "PATCH", f"comments/{said['id']}/", {"text": "Look!"})
    assert names(call(people.ben, "GET", f"{IRIS}/versions/1/comments/"), "text") == ["Look!"]
    call(people.vera, "DELETE", f"comments/{said['id']}/", expect=204)


def test_lineage_begins_with_the_version_itself(people: People) -> None:
    make_version(people.ada, make_model(people.ada, "iris"))
    graph = call(people.vera, "GET", f"{IRIS}/versions/1/lineage/")
    assert [node["kind"] for node in graph["nodes"]] == ["version"]


@pytest.mark.parametrize("size", [1, 4])
def test_lists_cost_the_same_however_long(people: People, size: int, django_assert_num_queries: Any) -> None:
    for number in range(size):
        model = make_model(people.ada, f"iris-{number}")
        for _ in range(size):
            make_version(people.ada, model)
    call(people.vera, "GET", "models/")
    with django_assert_num_queries(4):
        call(people.vera, "GET", "models/")
    with django_assert_num_queries(4):
        call(people.vera, "GET", "models/forge/iris-0/versions/")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "models/", {}),
        ("POST", "models/", {"name": ""}),
        ("POST", "models/", {"name": "a/b"}),
        ("POST", "models/", {"name": "x" * 257}),
        ("POST", "models/", {"name": "a\x00b"}),
        ("POST", "models/", {"name": "x", "tags": [1]}),
        ("PATCH", f"{IRIS}/", {"name": "a:b"}),
        ("POST", f"{IRIS}/versions/", {"source": "/etc/passwd"}),
        ("POST", f"{IRIS}/versions/", {"source": "runs:/x/../../y"}),
        ("POST", f"{IRIS}/versions/1/stage/", {"stage": "Prod"}),
        ("POST", f"{IRIS}/versions/1/stage/", {"stage": "Archived", "archive_existing": True}),
        ("POST", f"{IRIS}/versions/1/requests/", {"stage": "Production", "alias": "x"}),
        ("POST", f"{IRIS}/versions/1/requests/", {"alias": "v1"}),
        ("PUT", f"{IRIS}/aliases/latest/", {"version": 1}),
        ("PUT", f"{IRIS}/aliases/a%20b/", {"version": 1}),
        ("PUT", f"{IRIS}/aliases/best/", {"version": "one"}),
        ("POST", f"{IRIS}/versions/1/comments/", {"text": "\x00"}),
        ("POST", f"{IRIS}/rollback/", {"stage": "Production", "reason": " "}),
        ("POST", f"{IRIS}/rollback/", {"stage": "Archived", "reason": "x"}),
    ],
)
def test_bad_input(people: People, method: str, path: str, body: Any) -> None:
    make_version(people.ada, make_model(people.ada, "iris"))
    answer = call(people.max, method, path, body, expect=400)
    assert answer["error_code"] == "INVALID_PARAMETER_VALUE" and answer["message"]
    assert (RegisteredModel.objects.count(), ModelVersion.objects.get().stage) == (1, "None")


def test_names_that_are_nothing(people: People) -> None:
    make_model(people.ada, "iris")
    for path in ("models/forge/none/", f"{IRIS}/versions/1/", f"{IRIS}/versions/9999999999/", "models/none/iris/"):
        call(people.ada, "GET", path, expect=404)
    call(people.cleo, "GET", f"{IRIS}/", expect=404)


@pytest.mark.parametrize("part", ["%00", "a%00b", "%ff", "%ed%a0%80", "..", "%2e%2e", "x" * 700, "%F0%9F%92%A9"])
def test_addresses_that_name_nothing(people: People, part: str) -> None:
    make_version(people.ada, make_model(people.ada, "iris"))
    for path in (
        f"models/{part}/iris/",
        f"models/forge/{part}/",
        f"{IRIS}/aliases/{part}/",
        f"models/forge/{part}/versions/",
    ):
        for method, body in (("GET", None), ("PUT", {"version": 1}), ("DELETE", None)):
            answer = people.max.request(method, f"/api/v1/{path}", body)
            assert answer.status_code in (400, 404, 405), (path, method, answer.content)
    for query in (
        {"team": "a\x00", "name": "iris"},
        {"team": "forge", "name": "\x00"},
        {"view": "all", "name": "\x00"},
    ):
        place = "promotion-requests" if "view" in query else "history"
        assert people.max.request("GET", f"/api/v1/{place}/", query).status_code == 400
