"""Whatever is sent to Databricks' routes is answered or refused in JSON, and changes nothing where it is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from apps.audit.models import Event
from apps.registry.models import ModelVersion
from tests.doors import filled
from tests.doors.registry_databricks import DATABRICKS
from tests.personas import People
from tests.registry.promotion.making import make_model, make_version

HOSTILE: list[Any] = [None, [1], {"a": 1}, -1, 2**63, True, "", "' OR 1=1 --", "a\x00b", "\ud800", "x" * 100_000, "٣"]
OPTIONAL = {
    "/list": ["max_results", "page_token"],
    "/approve": ["request_id", "round"],
    "{registered_model_id}": ["access_control_list"],
}
BODIES = [b"{", b"[]", b"null", b'"x"', b"1", b"NaN", b"{}{}", b"", b"\xff\xfe", b"[" * 100_000, b'{"a":' * 50_000]


@pytest.fixture
def ids(people: People) -> dict[str, str]:
    version: ModelVersion = make_version(people.ada, make_model(people.ada, "promoted"))
    return {"registered": str(version.model_id), "comment": "1"}


@pytest.mark.parametrize("line", sorted(DATABRICKS))
def test_wrong_values_of_each_field(people: People, ids: dict[str, str], line: str) -> None:
    method, route = line.split(" ", 1)
    door = DATABRICKS[line]
    path = "/api/" + route.format(**filled(door.at, ids))
    good = filled(door.send, ids)
    more = next((names for ending, names in OPTIONAL.items() if line.endswith(ending)), [])
    for name in [*good, *more]:
        for value in HOSTILE:
            before = Event.objects.count()
            sent = {**good, name: value}
            if method == "GET":
                sent = {key: item for key, item in sent.items() if item is not None and not _is_unsendable(item)}
            answer = people.max.request(method, path, sent)
            assert answer.status_code < 500, (name, value, answer.content)
            if answer.status_code >= 400:
                assert set(answer.json()) >= {"error_code", "message"}, (name, value)
                assert Event.objects.count() == before, (name, value)


@pytest.mark.parametrize("line", sorted(line for line in DATABRICKS if not line.startswith("GET")))
def test_broken_bodies(people: People, ids: dict[str, str], line: str) -> None:
    method, route = line.split(" ", 1)
    path = "/api/" + route.format(**filled(DATABRICKS[line].at, ids))
    for body in BODIES:
        answer = people.max.request(method, path, body)
        # An empty list of permissions may be put.
        allowed = body == b"" and "permissions" in route and answer.status_code == 200
        assert allowed or 400 <= answer.status_code < 500, (body[:20], answer.content)
        assert allowed or json.loads(answer.content)["error_code"], body[:20]


@pytest.mark.parametrize("line", sorted(DATABRICKS))
def test_nobody_else_and_no_token(people: People, ids: dict[str, str], line: str) -> None:
    """Names of models are told to nobody without a token."""
    method, route = line.split(" ", 1)
    for prefix in ("/api/", "/ajax-api/"):
        answer = Client().generic(method, prefix + route.format(**filled(DATABRICKS[line].at, ids)), b"{}")
        assert answer.status_code == 401
        assert b"promoted" not in answer.content


def _is_unsendable(value: Any) -> bool:
    """What no query string can carry."""
    return isinstance(value, str) and "\ud800" in value
