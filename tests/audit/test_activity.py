from __future__ import annotations

from dataclasses import replace

from django.template.loader import render_to_string

from apps.audit.models import Event
from apps.audit.selectors import activity_of
from apps.audit.sentences import told
from apps.core.actor import Scope
from tests.personas import People


def test_who_may_see_the_object_sees_what_happened_to_it(people: People) -> None:
    experiment_id = people.ada.call("POST", "experiments/create", {"name": "<iris>"})["experiment_id"]
    people.ada.call("POST", "experiments/create", {"name": "other"})
    events = activity_of(people.vera.actor, "experiment", experiment_id)
    assert [(event.code, event.actor_name) for event in events] == [("experiment.created", "ada")]
    html = render_to_string("audit/_activity.html", {"events": events})
    assert "&lt;iris&gt;" in html
    assert "created the experiment" in html


def test_nothing_has_happened(people: People) -> None:
    assert activity_of(people.vera.actor, "experiment", 999) == []
    assert "Nothing has happened here yet" in render_to_string("audit/_activity.html", {"events": []})


def test_a_token_of_a_narrow_scope_gets_none(people: People) -> None:
    experiment_id = people.ada.call("POST", "experiments/create", {"name": "iris"})["experiment_id"]
    narrow = replace(people.ada.actor, scopes=frozenset({Scope.TRACKING}))
    assert activity_of(narrow, "experiment", experiment_id) == []


def test_a_feed_tells_what_people_want_to_know(people: People) -> None:
    before = {"description": "", "stage": "None"}
    after = {
        "description": "a **new** one",
        "stage": "Production",
        "request": 7,
        "tags": {},
        "gates": ["a: 1", "b: 2"],
        "comment": 3,
    }
    rows = told(Event(code="x.y", before=before, after=after))
    assert [(row.name, row.before, row.after) for row in rows] == [
        ("description", None, "a new one"),
        ("gates", None, "a: 1; b: 2"),
    ]
    assert [
        row.after for row in told(Event(code="x.y", after={"rollback": True, "tags": {"a": "1", "mlflow.b": "2"}}))
    ] == [
        "yes",
        "a: 1",
    ]
