from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from apps.audit.actions import Subject, record
from apps.audit.sealing import seal_pending
from apps.core.actor import system_actor
from tests.audit.test_chain import TESTED
from tests.personas import People, Persona


def export(who: Persona, form: str, query: str = "") -> str:
    response: Any = who.browser().get(f"/audit/export/?format={form}{query}")
    assert response.status_code == 200
    assert response["Content-Disposition"] == f'attachment; filename="audit.{form}"'
    return b"".join(response.streaming_content).decode()


def make(name: str) -> None:
    with transaction.atomic():
        record(system_actor(), TESTED, Subject("thing", "7", name), before={"a": 1}, after={"a": [2]}, note="µ")


def test_json_lines(people: People) -> None:
    make("thing")
    seal_pending()
    rows = [json.loads(line) for line in export(people.root, "jsonl", "&kind=thing").splitlines()]
    assert len(rows) == 1
    assert (rows[0]["code"], rows[0]["before"], rows[0]["after"], rows[0]["note"]) == (
        "test.tested",
        {"a": 1},
        {"a": [2]},
        "µ",
    )
    assert rows[0]["sentence"] == "tested thing"
    assert rows[0]["sequence"] > 1


@pytest.mark.parametrize("name", ["=cmd|'/c calc'!A1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "=1"])
def test_a_cell_is_never_a_formula(people: People, name: str) -> None:
    make(name)
    rows = list(csv.DictReader(io.StringIO(export(people.root, "csv", "&kind=thing"), newline="")))
    assert rows[0]["object_name"] == "'" + name
    assert json.loads(rows[0]["after"]) == {"a": [2]}


def test_all_events_come_in_batches(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = export(people.root, "jsonl")
    monkeypatch.setattr("apps.audit.selectors._BATCH", 4)
    assert export(people.root, "jsonl") == whole
    assert len(whole.splitlines()) > 8


def test_it_holds_what_the_page_shows(people: People) -> None:
    assert "harbour" not in export(people.max, "jsonl")
    assert "forge" in export(people.max, "jsonl")
    assert export(people.ada, "jsonl") == ""


@pytest.mark.parametrize("query", ["?format=xlsx", "?since=yesterday"])
def test_bad_input(people: People, query: str) -> None:
    assert people.root.browser().get(f"/audit/export/{query}").status_code == 400


def test_strangers_are_sent_to_sign_in(people: People) -> None:
    assert Client().get("/audit/export/").status_code == 302
