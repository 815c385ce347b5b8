"""How many statements each write of the protocol costs, whatever is stored already."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.personas import People, Persona
from tests.registry.made import experiment_of, model, run_of, version

pytestmark = pytest.mark.django_db
ONE = {"name": "iris", "version": "1"}


def count(who: Persona, method: str, path: str, body: dict[str, Any]) -> int:
    """The second time: what a process knows of a token is known by then."""
    who.call(method, path, body)
    with CaptureQueriesContext(connection) as statements:
        who.call(method, path, body)
    return len(statements)


def test_writes(people: People) -> None:
    ada = people.ada
    run_id, files = run_of(ada, experiment_of(ada))
    model(ada)
    version(ada, "iris", f"{files}/m")
    tags = [{"key": f"k{number}", "value": "v"} for number in range(5)]
    counted = {
        "create": count(ada, "POST", "model-versions/create", {**ONE, "source": f"runs:/{run_id}/m", "tags": tags}),
        "describe": count(ada, "PATCH", "model-versions/update", {**ONE, "description": "x"}),
        "tag": count(ada, "POST", "model-versions/set-tag", {**ONE, "key": "k", "value": "v"}),
        "describe model": count(ada, "PATCH", "registered-models/update", {"name": "iris", "description": "x"}),
        "tag model": count(ada, "POST", "registered-models/set-tag", {"name": "iris", "key": "k", "value": "v"}),
    }
    same = {"tag": 10, "describe model": 11, "tag model": 7}
    if connection.vendor == "postgresql":
        assert counted == {"create": 12, "describe": 8, **same}
    else:
        assert counted == {"create": 17, "describe": 10, **same}
