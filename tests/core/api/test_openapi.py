from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from django.core.management import call_command
from django.test import Client

from tests.api import call
from tests.personas import People


def test_the_description_is_valid_and_complete(tmp_path: Any) -> None:
    file = tmp_path / "schema.yml"
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(file))
    schema = yaml.safe_load(file.read_text())
    assert {"/api/v1/experiments/", "/api/v1/runs/{run_id}/", "/api/v1/tokens/", "/api/v1/audit-events/"} <= set(
        schema["paths"]
    )
    assert set(schema["components"]["securitySchemes"]) == {"token", "basic"}


def test_it_is_served_to_who_is_signed_in(people: People) -> None:
    response = people.vera.request("GET", "/api/schema/", accept="application/json")
    assert response.status_code == 200
    assert response.json()["info"]["title"] == "Slipway"
    assert Client().get("/api/schema/").status_code == 401
    assert Client().get("/api/docs/").status_code == 401


def test_the_page_has_no_inline_script_and_nothing_from_elsewhere(people: People) -> None:
    page = people.vera.browser().get("/api/docs/").content.decode()
    scripts = re.findall(r"<script[^>]*>", page)
    assert len(scripts) >= 3
    assert [one for one in scripts if ' src="/' not in one] == []
    assert "http://" not in page
    assert "https://" not in page
    script = people.vera.browser().get("/api/docs/?script=")
    assert script["Content-Type"].startswith("application/javascript")


def test_an_unknown_route_answers_in_the_one_shape(people: People) -> None:
    assert call(people.ada, "GET", "no/such/", expect=404)["error_code"] == "ENDPOINT_NOT_FOUND"


@pytest.mark.parametrize("path", ["experiments", "me", "users/ada", "teams/forge/members", "audit-events"])
def test_the_slash_at_the_end_may_be_left_out(people: People, path: str) -> None:
    assert call(people.ada, "GET", path) == call(people.ada, "GET", f"{path}/")
