"""What the database renders and what Python renders are one text; the hot look-ups are one statement each."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection

from apps.accounts import actions as accounts
from apps.accounts.kinds import kind_of
from apps.accounts.models import ObjectKind
from apps.core.actor import Level, system_actor
from apps.registry.mlflow.shapes import show_versions
from apps.registry.models import ModelVersion
from tests.personas import People
from tests.registry.made import experiment_of, model, run_of, version

pytestmark = pytest.mark.django_db
ODD = 'a "quoted" \\ text\nwith <b> é 😀 \u2028 and \t tabs'
ONE = {"name": "iris", "version": "1"}


@pytest.fixture
def iris(people: People) -> People:
    """A model with a version of odd texts, two tags and two aliases, and one of none."""
    run_id, files = run_of(people.ada, experiment_of(people.ada))
    model(people.ada)
    tags = [{"key": "b", "value": ODD}, {"key": "a", "value": ""}]
    version(people.ada, "iris", f"{files}/m", run_id=run_id, description=ODD, run_link="https://x.example/", tags=tags)
    version(people.ada, "iris", f"{files}/m")
    for alias in ("champion", "best"):
        people.ada.call("POST", "registered-models/alias", {**ONE, "alias": alias})
    return people


def test_each_way_of_asking_answers_the_same(iris: People) -> None:
    expected = show_versions(list(ModelVersion.objects.order_by("-number").values_list("pk", flat=True)))
    order = {"order_by": "version_number DESC"}
    assert iris.vera.call("GET", "model-versions/search", order)["model_versions"] == expected
    assert iris.vera.call("GET", "model-versions/get", ONE)["model_version"] == expected[1]
    asked = {"name": "iris", "alias": "champion"}
    assert iris.vera.call("GET", "registered-models/alias", asked)["model_version"] == expected[1]
    assert expected[1]["aliases"] == ["best", "champion"]
    assert "tags" not in expected[0]


def test_statements_of_the_hot_look_ups(iris: People, django_assert_num_queries: Any) -> None:
    on_postgresql = connection.vendor == "postgresql"
    for route, asked, elsewhere in (
        ("model-versions/get", ONE, 5),
        ("model-versions/get-download-uri", ONE, 2),
        ("registered-models/alias", {"name": "iris", "alias": "champion"}, 5),
    ):
        iris.ben.call("GET", route, asked)
        with django_assert_num_queries(1 if on_postgresql else elsewhere):
            iris.ben.call("GET", route, asked)


def test_what_was_granted_is_found_too(iris: People) -> None:
    asked = {"name": "iris", "alias": "champion"}
    iris.cleo.call("GET", "model-versions/get", ONE, expect=404)
    system = system_actor()
    reference = f"id:{ModelVersion.objects.first().model_id}"  # type: ignore[union-attr]
    target = kind_of(ObjectKind.REGISTERED_MODEL).find(system, reference, Level.MANAGE)
    accounts.give_grant(system, target=target, to=iris.cleo.user, level=Level.READ)
    seen = iris.cleo.call("GET", "model-versions/get", ONE)
    assert seen == iris.vera.call("GET", "model-versions/get", ONE)
    assert iris.cleo.call("GET", "registered-models/alias", asked) == seen
    assert iris.cleo.call("GET", "model-versions/get-download-uri", ONE)
