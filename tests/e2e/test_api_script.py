"""A plain script with a token: reads, writes, pages through and gets errors that it can read."""

from __future__ import annotations

from typing import Any

import requests

from tests.servers import Server


class Script:
    """`/api/v1/` as a script calls it."""

    def __init__(self, server: Server, token: str) -> None:
        self.base = f"{server.url}/api/v1"
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {token}"

    def __call__(self, method: str, path: str, expect: int, **more: Any) -> Any:
        response = self.session.request(method, f"{self.base}/{path}", timeout=20, **more)
        assert response.status_code == expect, (response.status_code, response.text)
        return response.json() if response.content else None


def test_it_reads_and_writes(up: Server) -> None:
    call = Script(up, up.token)
    assert call("GET", "me/", 200)["username"] == "admin"
    made = call("POST", "experiments/", 201, json={"name": "by a plain script"})
    found = call("GET", "experiments/", 200, params={"name": "plain script"})["results"]
    assert [each["name"] for each in found] == ["by a plain script"]
    changed = call("PATCH", f"experiments/{made['id']}/", 200, json={"name": "renamed by a script"})
    assert changed["name"] == "renamed by a script"
    call("DELETE", f"experiments/{made['id']}/", 204)
    codes = {event["code"] for event in call("GET", "audit-events/", 200)["results"]}
    assert {"experiment.created", "experiment.renamed", "experiment.deleted"} <= codes


def test_it_pages_through_a_list(up: Server) -> None:
    call = Script(up, up.token)
    for number in range(5):
        call("POST", "experiments/", 201, json={"name": f"page of a script {number}"})
    seen, token = [], ""
    for _ in range(3):
        query = {"name": "page of a script", "page_size": 2, "page_token": token}
        page = call("GET", "experiments/", 200, params={name: value for name, value in query.items() if value})
        seen += [each["name"] for each in page["results"]]
        token = page["next_page_token"]
    assert sorted(seen) == [f"page of a script {number}" for number in range(5)]
    assert not token
    call("GET", "experiments/", 400, params={"page_token": "junk"})


def test_errors_can_be_read(up: Server) -> None:
    call = Script(up, up.token)
    assert call("POST", "experiments/", 400, json={})["error_code"] == "INVALID_PARAMETER_VALUE"
    assert call("GET", "experiments/987654321/", 404)["error_code"] == "RESOURCE_DOES_NOT_EXIST"
    assert call("PUT", "me/", 405)["error_code"]
    assert Script(up, "wrong")("GET", "me/", 401)["error_code"] == "UNAUTHENTICATED"


def test_a_reading_token_reads_only(up: Server) -> None:
    call = Script(up, up.command("token", "create", "admin", "--scope", "read"))
    call("GET", "experiments/", 200)
    assert call("POST", "experiments/", 403, json={"name": "x"})["error_code"] == "PERMISSION_DENIED"


def test_the_description_is_served_offline(up: Server) -> None:
    schema = requests.get(
        f"{up.url}/api/schema/",
        headers={"Authorization": f"Bearer {up.token}", "Accept": "application/json"},
        timeout=20,
    ).json()
    assert schema["openapi"].startswith("3.")
    assert "/api/v1/experiments/" in schema["paths"]
