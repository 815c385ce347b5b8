from __future__ import annotations

import time
from typing import Any

import pytest
from django.core.cache import cache
from django.db import OperationalError
from django.test import Client

from apps.core import checks
from apps.core.tasks import HEARTBEAT_KEY
from slipway.settings import base

pytestmark = pytest.mark.django_db(transaction=True)


def fail() -> bool:
    raise OperationalError("password of 10.1.2.3 is wrong")


def hang() -> bool:
    time.sleep(1)
    return True


def test_all_is_well(client: Client) -> None:
    response = client.get("/health")
    assert (response.status_code, response.content) == (200, b"OK")


def test_a_process_lives_while_its_parts_are_away(
    client: Client, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    for part in ("database", "broker", "artifacts"):
        monkeypatch.setitem(checks.NEEDED, part, fail)
    with django_assert_num_queries(0):
        response = client.get("/health/live")
    assert (response.status_code, response.content) == (200, b"OK")
    assert client.get("/health").status_code == 503


@pytest.mark.parametrize("part", ["database", "broker", "artifacts"])
def test_a_part_that_fails_is_named_and_nothing_else(
    client: Client, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    monkeypatch.setitem(checks.NEEDED, part, fail)
    response = client.get("/health")
    assert (response.status_code, response.content.decode()) == (503, f"failing: {part}\n")
    assert response["Retry-After"] == "2"


def test_a_part_that_hangs_fails_in_time(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "_TIMEOUT_SECONDS", 0.05)
    monkeypatch.setitem(checks.NEEDED, "broker", hang)
    assert "broker" in client.get("/health").content.decode()


def test_a_store_that_takes_no_file_fails(client: Client, settings: Any, tmp_path: Any) -> None:
    (tmp_path / "file").touch()
    location = str(tmp_path / "file" / "artifacts")
    settings.STORAGES = {**base.STORAGES, "artifacts": {**base._FILES, "OPTIONS": {"location": location}}}
    assert client.get("/health").content.decode() == "failing: artifacts\n"


def test_readiness_lists_all_parts(client: Client) -> None:
    response = client.get("/health/ready")
    body = response.json()
    assert (response.status_code, body["status"], body["version"]) == (200, "ready", base.SLIPWAY_VERSION)
    expected = {"database": "ok", "broker": "ok", "artifacts": "ok", "migrations": "ok", "worker": "failing"}
    assert body["parts"] == expected
    cache.set(HEARTBEAT_KEY, time.time())
    assert client.get("/health/ready").json()["parts"]["worker"] == "ok"


def test_readiness_fails_with_a_part(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(checks.READY, "migrations", fail)
    monkeypatch.setitem(checks.ALL, "migrations", fail)
    response = client.get("/health/ready")
    assert (response.status_code, response.json()["status"]) == (503, "failing")
    assert "10.1.2.3" not in response.content.decode()
