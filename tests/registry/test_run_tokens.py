"""What a project run may in the registry: read, register what is its own, ask; never move, approve or relabel."""

from __future__ import annotations

from typing import Any

import pytest

from apps.accounts import actions as accounts
from apps.accounts.kinds import kind_of
from apps.accounts.models import ObjectKind
from apps.audit.models import Event
from apps.core.actor import Level, Role, system_actor
from apps.core.errors import PermissionDenied
from apps.experiments.models import Run
from apps.registry import access, actions
from apps.registry.models import ModelVersion, PromotionRequest
from apps.registry.stages import Slot
from tests.accounts.test_run_tokens import actor_of
from tests.api import call
from tests.experiments.logging import make_run
from tests.personas import People, Persona
from tests.registry.gates.cases import make_version
from tests.registry.gates.test_files import put
from tests.registry.promotion.making import make_model, set_policy
from tests.run_tokens import Bearer, run_token

ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts"


@pytest.fixture
def ids(people: People) -> dict[str, str]:
    """A run and a logged model in each of two experiments of Ada's; the empty model `iris-classifier`."""
    found = {}
    make_model(people.ada)
    for name in ("own", "other"):
        found[name] = people.ada.call("POST", "experiments/create", {"name": name})["experiment_id"]
        made = people.ada.call("POST", "runs/create", {"experiment_id": found[name]})
        found[f"{name}_run"] = made["run"]["info"]["run_id"]
        logged = people.ada.call("POST", "logged-models", {"experiment_id": found[name], "name": "m"})
        found[f"{name}_model"] = logged["model"]["info"]["model_id"]
    return found


@pytest.fixture
def run(people: People, ids: dict[str, str]) -> Bearer:
    return run_token(people.ada, people.forge, ids["own"])


def register(who: Any, source: str, expect: int = 200, **more: Any) -> Any:
    asked = {"name": "iris-classifier", "source": source, **more}
    return who.call("POST", "model-versions/create", asked, expect=expect)


def test_it_registers_what_lies_in_its_experiment(run: Bearer, ids: dict[str, str]) -> None:
    sources = [f"runs:/{ids['own_run']}/model", f"models:/{ids['own_model']}"]
    sources.append(f"mlflow-artifacts:/{ids['own']}/{ids['own_run']}/artifacts/model")
    for number, source in enumerate(sources, 1):
        made = register(run, source, description="made by a run", tags=[{"key": "k", "value": "v"}])
        assert (made["model_version"]["version"], made["model_version"]["user_id"]) == (str(number), "ada")
    # A copy of what is its own is its own.
    register(run, "models:/iris-classifier/1")


@pytest.mark.parametrize(
    ("source", "status"),
    [
        ("runs:/{other_run}/model", 404),
        ("models:/{other_model}", 404),
        ("mlflow-artifacts:/{other}/{other_run}/artifacts/model", 404),
        ("mlflow-artifacts:/{other}/{own_run}/artifacts/model", 404),
        ("models:/elsewhere/1", 403),
        ("runs:/" + "0" * 32 + "/model", 403),
        ("dummy-source", 403),
        ("mlflow-artifacts:/", 400),
        ("s3://bucket/x", 400),
        ("file:///etc", 400),
    ],
)
def test_it_registers_nothing_else(people: People, run: Bearer, ids: dict[str, str], source: str, status: int) -> None:
    make_version(people.ada, people.forge, name="elsewhere")
    before = ModelVersion.objects.count()
    tags = [{"key": "mlflow.prompt.is_prompt", "value": "true"}] if source == "dummy-source" else []
    register(run, source.format(**ids), expect=status, tags=tags)
    assert ModelVersion.objects.count() == before


def test_it_makes_a_model_in_its_team(run: Bearer) -> None:
    run.call("POST", "registered-models/create", {"name": "fresh", "tags": [{"key": "k", "value": "v"}]})
    assert run.call("GET", "registered-models/get", {"name": "fresh"})["registered_model"]["tags"]


def test_it_labels_and_describes_versions_of_its_experiment_alone(
    people: People, run: Bearer, ids: dict[str, str]
) -> None:
    register(people.ada, f"runs:/{ids['other_run']}/model")
    register(run, f"runs:/{ids['own_run']}/model")
    for version, expect in (("2", 200), ("1", 403)):
        named = {"name": "iris-classifier", "version": version}
        run.call("POST", "model-versions/set-tag", {**named, "key": "k", "value": "v"}, expect=expect)
        run.call("PATCH", "model-versions/update", {**named, "description": "x"}, expect=expect)
    first, second = ModelVersion.objects.order_by("number")
    assert (first.description, first.tags.count()) == ("", 0)
    assert (second.description, second.tags.count()) == ("x", 1)


def test_it_loads_what_is_in_production_from_another_experiment(people: People, run: Bearer) -> None:
    """The files of a version are read by who reads the version; what lies beside them in its run is not."""
    version = make_version(people.ada, people.forge)
    put(people.ada, version, "MLmodel", "flavors: {}")
    ModelVersion.objects.filter(pk=version.pk).update(stage="Production")
    folder = version.folder.removeprefix("mlflow-artifacts:/")
    beside = folder.removesuffix("model") + "notes.txt"
    people.ada.request("PUT", f"{ARTIFACTS}/{beside}", b"x")
    found = run.call("POST", "registered-models/get-latest-versions", {"name": "iris", "stages": ["Production"]})
    assert [each["version"] for each in found["model_versions"]] == ["1"]
    at = run.call("GET", "model-versions/get-download-uri", {"name": "iris", "version": "1"})["artifact_uri"]
    assert at == version.folder
    assert run.request("GET", ARTIFACTS, {"path": folder}).json()["files"][0]["path"] == "MLmodel"
    assert run.request("GET", f"{ARTIFACTS}/{folder}/MLmodel").status_code == 200
    assert run.request("GET", f"{ARTIFACTS}/{beside}").status_code == 404
    assert run.request("PUT", f"{ARTIFACTS}/{folder}/MLmodel", b"x").status_code == 404
    assert run.request("DELETE", f"{ARTIFACTS}/{folder}/MLmodel").status_code == 403


def test_models_of_other_teams_only_where_granted(people: People, run: Bearer) -> None:
    """Also where its owner is a member of the other team: a run is its team's."""
    accounts.add_member(system_actor(), team=people.harbour, user=people.ada.user, role=Role.MEMBER)
    make_version(people.cleo, people.harbour, name="tides")
    run.call("GET", "registered-models/get", {"name": "tides"}, expect=404)
    assert run.call("GET", "model-versions/search", {"filter": "name='tides'"}) == {}
    target = kind_of(ObjectKind.REGISTERED_MODEL).find(people.cleo.actor, "tides", Level.READ)
    accounts.give_grant(system_actor(), target=target, to=people.forge, level=Level.READ)
    run.call("GET", "registered-models/get", {"name": "tides"})


def test_it_asks_and_its_owner_can_not_approve(people: People, run: Bearer, ids: dict[str, str]) -> None:
    set_policy(people, Slot.stage("Production"), approvals=1)
    accounts.set_role(system_actor(), team=people.forge, user=people.ada.user, role=Role.MAINTAINER)
    register(run, f"runs:/{ids['own_run']}/model")
    asked = {"name": "iris-classifier", "version": "1", "stage": "Production"}
    run.call("POST", "transition-requests/create", {**asked, "comment": "trained tonight"})
    request = PromotionRequest.objects.get()
    assert (request.requester_name, people.ada.user.pk in request.owners) == ("ada", True)
    assert Event.objects.get(code="promotion_request.made").token_id == run.row.pk
    path = f"promotion-requests/{request.pk}/approve/"
    call(run, "POST", path, expect=403)
    assert "You asked for this" in call(people.ada, "POST", path, expect=409)["message"]
    call(people.max, "POST", path)
    assert ModelVersion.objects.get().stage == "Production"


def test_the_actions_themselves_take_no_word_of_it(people: People, ids: dict[str, str]) -> None:
    """Behind the routes too: a maintainer's run decides on nothing and takes nothing back."""
    run = run_token(people.max, people.forge, ids["own"])
    actor = actor_of(run)
    version = register_as(people.ada, ids)
    theirs = actions.ask(people.ada.actor, version=version, slot=Slot.stage("Production"))
    own = actions.ask(actor, version=version, slot=Slot.stage("Production"))
    for request in (theirs, own):
        for act in (actions.approve_request, actions.reject_request, actions.cancel_request):
            with pytest.raises(PermissionDenied):
                act(actor, request=request)
    with pytest.raises(PermissionDenied):
        actions.move_version(actor, version=version, stage="Staging", archive_existing=False)
    with pytest.raises(PermissionDenied):
        access.get_model(actor, version.model.name, Level.MANAGE)
    assert ModelVersion.objects.get().stage == "None"


def register_as(who: Persona, ids: dict[str, str]) -> ModelVersion:
    register(who, f"runs:/{ids['own_run']}/model")
    return ModelVersion.objects.select_related("model__team").get()


def test_it_asks_about_an_alias(people: People, run: Bearer, ids: dict[str, str]) -> None:
    register(run, f"runs:/{ids['own_run']}/model")
    path = "models/forge/iris-classifier/versions/1/requests/"
    call(run, "POST", path, {"alias": "champion", "comment": "better"}, expect=201)
    assert PromotionRequest.objects.get().slot_name == "champion"


def test_who_asks_is_its_owner_with_the_owners_right(people: People, ids: dict[str, str]) -> None:
    """Where a policy lets only those ask who manage production, a maintainer's run does and a member's doesn't."""
    set_policy(people, Slot.stage("Production"), ask_level=Level.PRODUCTION.value)
    run = run_token(people.max, people.forge, ids["own"])
    members = run_token(people.ben, people.forge, ids["own"], project_run_id=2)
    register(run, f"runs:/{ids['own_run']}/model")
    asked = {"name": "iris-classifier", "version": "1", "stage": "Production"}
    members.call("POST", "transition-requests/create", asked, expect=403)
    run.call("POST", "transition-requests/create", asked)


@pytest.mark.parametrize("role", [Role.MAINTAINER, Role.ADMIN])
def test_it_moves_nothing_whatever_its_owner_may(people: People, run: Bearer, ids: dict[str, str], role: Role) -> None:
    accounts.set_role(system_actor(), team=people.forge, user=people.ada.user, role=role)
    register(run, f"runs:/{ids['own_run']}/model")
    named = {"name": "iris-classifier", "version": "1"}
    for method, path, body in (
        ("POST", "model-versions/transition-stage", {**named, "stage": "Staging"}),
        ("POST", "databricks/model-versions/transition-stage", {**named, "stage": "Staging"}),
        ("POST", "registered-models/alias", {**named, "alias": "mine"}),
        ("POST", "registered-models/rename", {"name": named["name"], "new_name": "x"}),
        ("POST", "registered-models/set-tag", {"name": named["name"], "key": "k", "value": "v"}),
        ("DELETE", "model-versions/delete", named),
        ("DELETE", "registered-models/delete", {"name": named["name"]}),
        ("POST", "runs/delete", {"run_id": ids["own_run"]}),
        ("POST", "experiments/delete", {"experiment_id": ids["own"]}),
    ):
        run.call(method, path, body, expect=403)
    assert (ModelVersion.objects.get().stage, Run.objects.filter(deleted_ms__isnull=True).count()) == ("None", 2)


def test_a_run_of_another_experiment_is_not_taken_for_the_source(
    people: People, run: Bearer, ids: dict[str, str]
) -> None:
    """A logged model of its own that names a run of another experiment is not taken for that run's."""
    stranger = make_run(people.ada)
    made = run.call("POST", "logged-models", {"experiment_id": ids["own"], "name": "x", "source_run_id": stranger})
    register(run, f"models:/{made['model']['info']['model_id']}")
    assert ModelVersion.objects.get().source_run is None
