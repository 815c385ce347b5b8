"""Whatever is sent to the registry's routes is answered with a 4xx and leaves nothing behind."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import transaction

from apps.registry.models import RegisteredModel
from slipway.urls import PROTOCOL
from tests.personas import People
from tests.registry.made import experiment_of, model, run_of, version

pytestmark = pytest.mark.django_db
ROUTES = sorted(
    (route.method, route.path, route.endpoint.request_type)
    for route in PROTOCOL.routes
    if route.path.startswith(("2.0/mlflow/registered-models/", "2.0/mlflow/model-versions/"))
)
ODD: list[Any] = [None, -1, 10**30, "\u0000", "\ud800", "x" * 5000, "../..", [], {"a": 1}]
BROKEN = (b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b"[" * 5000, b'{"name": ' * 2000, b'{"name": "a\\u0000"}')


@contextmanager
def undone() -> Iterator[None]:
    """What is done inside is taken back."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture
def iris(people: People) -> dict[str, Any]:
    """A model with a version, and a body that most routes take."""
    run_id, files = run_of(people.ada, experiment_of(people.ada))
    model(people.ada)
    version(people.ada, "iris", f"{files}/m", run_id=run_id)
    return {"name": "iris", "version": "1", "key": "k", "value": "v", "alias": "a", "stage": "Staging", "source": files}


def test_odd_values(people: People, iris: dict[str, Any]) -> None:
    for method, path, kind in ROUTES:
        for field in kind.__struct_fields__:
            for value in ODD:
                body = {**iris, field: value}
                sent = _as_query(body) if method == "GET" else json.dumps(body)
                with undone():
                    answer = people.ada.request(method, f"/api/{path}", sent)
                assert answer.status_code < 500, (path, field, value, answer.content)


def test_broken_bodies(people: People) -> None:
    for method, path, _ in ROUTES:
        for body in BROKEN if method != "GET" else ():
            assert 400 <= people.max.request(method, f"/api/{path}", body).status_code < 500, (path, body)
    assert not RegisteredModel.objects.exists()


@pytest.mark.parametrize("route", ["registered-models/search", "model-versions/search"])
def test_hostile_filters(people: People, iris: dict[str, Any], route: str) -> None:
    began = time.process_time()
    for text in (
        "name = 'x'; DROP TABLE registry_registeredmodel", "name = '' OR 1=1 --", "name = 'x' UNION SELECT 1",
        "pg_sleep(9)", "name = 'x' /* */ AND", "name = 'x", "(" * 5000, "__class__ = 'x'", "user__password = 'x'",
        "model__team__name = 'x'", "attribute.team__name = 'x'", "owner = 'x'", "tags.`a` = b", "name LIKE",
        "name = 'a'" + " AND name = 'a'" * 5000, "name = '" + "x" * 250_000 + "'", "tags.x IS NULL",
    ):  # fmt: skip
        assert people.ada.request("GET", f"/api/2.0/mlflow/{route}", {"filter": text}).status_code in (400, 413, 414)
    for order in ("name; DROP TABLE x", "__class__", "model__team__name", "?", "-name", "name ASC, version DESC"):
        assert people.ada.request("GET", f"/api/2.0/mlflow/{route}", {"order_by": order}).status_code == 400
    pattern = {"filter": f"name LIKE '{'%a' * 3000}'"}
    assert people.ada.request("GET", f"/api/2.0/mlflow/{route}", pattern).status_code == 400
    assert time.process_time() - began < 10


def test_a_search_shows_nothing_of_other_teams(people: People, iris: dict[str, Any]) -> None:
    for route in ("registered-models/search", "model-versions/search"):
        for text in ("", "name = 'iris'", "name LIKE '%'", "name != 'x'"):
            assert people.cleo.call("GET", route, {"filter": text}) == {}


def test_a_page_token_is_of_one_list_and_caller(people: People) -> None:
    for number in range(3):
        model(people.ada, f"model {number}")
    token = people.ada.call("GET", "registered-models/search", {"max_results": 1})["next_page_token"]
    page = {"max_results": 1, "page_token": token}
    assert people.ada.call("GET", "registered-models/search", page)["registered_models"][0]["name"] == "model 1"
    people.ben.call("GET", "registered-models/search", page, expect=400)
    people.ada.call("GET", "model-versions/search", page, expect=400)
    people.ada.call("GET", "registered-models/search", {**page, "filter": "name != 'x'"}, expect=400)
    people.ada.call("GET", "registered-models/search", {**page, "page_token": token[:-2]}, expect=400)


def _as_query(body: dict[str, Any]) -> dict[str, str]:
    return {name: str(value).encode("utf-8", "replace").decode() for name, value in body.items() if value is not None}
