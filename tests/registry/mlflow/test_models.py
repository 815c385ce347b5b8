from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.models import ObjectKind
from apps.audit.models import Event
from apps.core.actor import Scope
from apps.notifications.models import Choice, Notification, Subscription
from apps.registry.models import RegisteredModel
from tests.personas import People, Persona, token_for
from tests.registry.made import experiment_of, model, run_of, version

pytestmark = pytest.mark.django_db
MODELS = "registered-models"


def test_names_are_of_a_team(people: People) -> None:
    model(people.ada, "iris", description="flowers")
    again = people.ben.call("POST", f"{MODELS}/create", {"name": "iris"}, expect=400)
    assert again["error_code"] == "RESOURCE_ALREADY_EXISTS"
    model(people.cleo, "iris")
    shown = people.vera.call("GET", f"{MODELS}/get", {"name": "iris"})["registered_model"]
    assert shown["description"] == "flowers"
    named = people.root.call("GET", f"{MODELS}/get", {"name": "iris"}, x_mlflow_workspace="forge")["registered_model"]
    assert named == shown
    assert people.ada.call("GET", f"{MODELS}/search")["registered_models"] == [shown]


def test_a_model_and_a_prompt_share_no_name(people: People) -> None:
    prompt = [{"key": "mlflow.prompt.is_prompt", "value": "true"}]
    model(people.ada, "greeting", tags=prompt)
    taken = people.ada.call("POST", f"{MODELS}/create", {"name": "greeting"}, expect=400)
    assert "already taken by a prompt" in taken["message"]
    again = people.ada.call("POST", f"{MODELS}/create", {"name": "greeting", "tags": prompt}, expect=400)
    assert again["message"] == "Prompt (name=greeting) already exists."
    assert people.ada.call("GET", f"{MODELS}/search") == {}
    wanted = {"filter": "tags.`mlflow.prompt.is_prompt` = 'true'"}
    assert len(people.ada.call("GET", f"{MODELS}/search", wanted)["registered_models"]) == 1


def test_what_is_a_prompt_stays_one(people: People) -> None:
    """A model that became a prompt would be gone from all lists."""
    key = "mlflow.prompt.is_prompt"
    model(people.ada, "iris")
    model(people.ada, "greeting", tags=[{"key": key, "value": "true"}])
    people.ada.call("POST", f"{MODELS}/set-tag", {"name": "iris", "key": key, "value": "true"}, expect=400)
    people.ada.call("POST", f"{MODELS}/set-tag", {"name": "greeting", "key": key, "value": "false"}, expect=400)
    people.ada.call("POST", f"{MODELS}/set-tag", {"name": "greeting", "key": key, "value": "true"})
    people.ada.call("DELETE", f"{MODELS}/delete-tag", {"name": "greeting", "key": key}, expect=400)


def test_renaming_and_deleting_are_for_who_manages(people: People) -> None:
    model(people.ada, "iris")
    run_id, files = run_of(people.ada, experiment_of(people.ada))
    version(people.ada, "iris", f"{files}/m", run_id=run_id)
    people.ben.call("POST", f"{MODELS}/rename", {"name": "iris", "new_name": "other"}, expect=403)
    people.ada.call("POST", f"{MODELS}/rename", {"name": "iris", "new_name": "other"})
    people.ada.call("GET", "model-versions/get", {"name": "other", "version": "1"})
    people.ben.call("DELETE", f"{MODELS}/delete", {"name": "other"}, expect=403)
    people.max.call("DELETE", f"{MODELS}/delete", {"name": "other"})
    assert not RegisteredModel.objects.exists()
    codes = list(
        Event.objects.filter(code__startswith="registered_model").order_by("pk").values_list("code", flat=True)
    )
    assert codes == ["registered_model.created", "registered_model.renamed", "registered_model.deleted"]


def test_a_team_that_holds_models_is_not_deleted(people: People) -> None:
    model(people.cleo, "hers")
    path = "/api/3.0/mlflow/workspaces/harbour"
    refused = people.root.request("DELETE", path)
    assert refused.status_code == 409
    assert "registered models" in refused.json()["message"]


def test_lists_cost_the_same_for_any_number(people: People) -> None:
    run_id, files = run_of(people.ada, experiment_of(people.ada))

    def count() -> tuple[int, int]:
        with CaptureQueriesContext(
            connection,
        ) as models:
            people.ada.call("GET", f"{MODELS}/search")
        with CaptureQueriesContext(connection) as versions:
            people.ada.call("GET", "model-versions/search")
        return len(models), len(versions)

    def make(number: int) -> None:
        name = model(people.ada, f"model {number}", tags=[{"key": "k", "value": "v"}])
        for _ in range(2):
            version(people.ada, name, f"{files}/m", run_id=run_id, tags=[{"key": "k", "value": "v"}])

    make(0)
    count()
    few = count()
    for number in range(1, 6):
        make(number)
    assert count() == few


def test_latest_versions_by_stage_and_by_number(people: People) -> None:
    """`models:/iris/v2` is asked for as a stage."""
    run_id, files = run_of(people.ada, experiment_of(people.ada))
    model(people.ada, "iris")
    for _ in range(3):
        version(people.ada, "iris", f"{files}/m", run_id=run_id)
    for stages, numbers in (
        ([], ["3"]),
        (["None"], ["3"]),
        (["v2"], ["2"]),
        (["V1", "none"], ["3", "1"]),
        (["v9"], []),
    ):
        answer = people.vera.call("POST", f"{MODELS}/get-latest-versions", {"name": "iris", "stages": stages})
        assert [each["version"] for each in answer.get("model_versions", [])] == numbers
    for bad in ("v", "v1x", "Nonsense", "vv1"):
        people.vera.call("POST", f"{MODELS}/get-latest-versions", {"name": "iris", "stages": [bad]}, expect=400)


def test_a_token_for_runs_does_not_reach_the_registry(people: People) -> None:
    tracking = Persona(people.ada.user, token_for(people.ada.user, Scope.TRACKING))
    tracking.call("POST", f"{MODELS}/create", {"name": "iris"}, expect=403)
    registry = Persona(people.ada.user, token_for(people.ada.user, Scope.REGISTRY))
    registry.call("POST", f"{MODELS}/create", {"name": "iris"})
    reading = Persona(people.ada.user, token_for(people.ada.user, Scope.READ))
    reading.call("GET", f"{MODELS}/get", {"name": "iris"})
    reading.call("DELETE", f"{MODELS}/delete", {"name": "iris"}, expect=403)


def test_who_follows_a_model_hears_of_it(people: People) -> None:
    model(people.ada, "iris")
    followed = RegisteredModel.objects.get()
    Subscription.objects.create(
        user=people.vera.user, kind=ObjectKind.REGISTERED_MODEL, object_id=followed.pk, choice=Choice.ALL
    )
    version(people.ada, "iris", f"runs:/{'0' * 32}/m")
    people.ada.call("POST", f"{MODELS}/set-tag", {"name": "iris", "key": "k", "value": "v"})
    people.ada.call("POST", f"{MODELS}/rename", {"name": "iris", "new_name": "other"})
    people.ada.call("DELETE", f"{MODELS}/delete", {"name": "other"})
    told = Notification.objects.filter(user=people.vera.user).order_by("pk").values_list("text", flat=True)
    assert list(told) == [
        "ada registered iris version 1.",
        "ada set the tag k of the registered model iris.",
        "ada renamed the registered model iris to other.",
        "ada deleted the registered model other.",
    ]
