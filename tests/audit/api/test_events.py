from __future__ import annotations

import json
from typing import Any

import pytest

from apps.audit.models import Event
from apps.audit.sealing import seal_pending
from apps.core.actor import Scope
from tests.api import call, names
from tests.personas import People, Persona, token_for


def test_an_administrator_reads_everything(people: People) -> None:
    seal_pending()
    page = call(people.root, "GET", "audit-events/", {"code": "team.created"})
    assert names(page, "object_name") == ["harbour", "forge"]
    assert names(page, "sentence") == ["created the team harbour", "created the team forge"]
    one = call(people.root, "GET", f"audit-events/{page['results'][0]['id']}/")
    assert one == page["results"][0]
    assert one["sequence"] >= 1


def test_others_read_what_is_theirs(people: People) -> None:
    people.ada.call("POST", "experiments/create", {"name": "iris"})
    assert names(call(people.ada, "GET", "audit-events/"), "code") == ["experiment.created"]
    assert "experiment.created" in names(call(people.max, "GET", "audit-events/"), "code")
    assert call(people.cleo, "GET", "audit-events/")["results"] == []
    event = Event.objects.filter(code="experiment.created").values_list("pk", flat=True)[0]
    call(people.cleo, "GET", f"audit-events/{event}/", expect=404)


def test_pages_lead_on(people: People) -> None:
    first = call(people.root, "GET", "audit-events/", {"page_size": 5})
    rest = call(people.root, "GET", "audit-events/", {"page_size": 1000, "page_token": first["next_page_token"]})
    assert names(first, "id") + names(rest, "id") == list(Event.objects.values_list("pk", flat=True))


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_an_export_is_a_file(people: People, form: str) -> None:
    response: Any = people.root.request("GET", "/api/v1/audit-events/export/", {"format": form, "kind": "team"})
    text = b"".join(response.streaming_content).decode()
    assert response["Content-Disposition"] == f'attachment; filename="audit.{form}"'
    assert "harbour" in text
    if form == "jsonl":
        assert {json.loads(line)["object_kind"] for line in text.splitlines()} == {"team"}


@pytest.mark.parametrize(
    "query",
    [
        {"since": "soon"},
        {"since": "0001-01-01T00:00:00+14:00"},
        {"until": "9999-12-31"},
        {"page_size": "x"},
        {"page_token": "x"},
        {"text": "x" * 300},
    ],
)
def test_bad_input(people: People, query: dict[str, str]) -> None:
    answer = call(people.root, "GET", "audit-events/", query, expect=400)
    assert answer["error_code"] == "INVALID_PARAMETER_VALUE"


def test_it_is_read_only(people: People) -> None:
    event = Event.objects.values_list("pk", flat=True)[0]
    for method in ("PUT", "PATCH", "DELETE", "POST"):
        call(people.root, method, f"audit-events/{event}/", {}, expect=405)
    call(people.root, "POST", "audit-events/", {}, expect=405)


def test_a_tracking_token_does_not_reach_it(people: People) -> None:
    call(Persona(people.root.user, token_for(people.root.user, Scope.TRACKING)), "GET", "audit-events/", expect=403)
