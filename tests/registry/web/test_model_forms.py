from __future__ import annotations

import pytest

from apps.experiments.models import LoggedModel, LoggedModelStatus, ModelLink, Run
from apps.registry.actions import set_policy
from apps.registry.models import ModelVersion, ModelVersionTag, RegisteredModel, RegisteredModelTag
from apps.registry.policies import Rules
from apps.registry.stages import Slot
from tests.experiments.runs import make_run
from tests.personas import People
from tests.registry.models import make_model, make_version
from tests.registry.web.asking import HTMX

MODEL = "/models/forge/iris/"
VERSION = f"{MODEL}versions/1/"


@pytest.fixture
def version(people: People) -> ModelVersion:
    return make_version(people.ada, make_model(people.ada))


def test_a_model_is_made_in_the_browser(people: People) -> None:
    answer = people.ben.browser().post("/models/new/", {"name": "iris", "description": "*x*"})
    assert answer["Location"] == MODEL
    assert RegisteredModel.objects.get(name="iris").description == "*x*"


@pytest.mark.parametrize("name", ["", "a/b", "a:b", "x" * 257, "\u202egnp", "iris"])
def test_a_name_that_is_refused_is_said_in_the_form(people: People, version: ModelVersion, name: str) -> None:
    answer = people.ada.browser().post("/models/new/", {"name": name}, headers=HTMX)
    assert answer.status_code == 422
    assert "field-errors" in answer.content.decode()
    assert RegisteredModel.objects.count() == 1


def test_renaming_is_for_who_manages(people: People, version: ModelVersion) -> None:
    sent = {"name": "lily", "description": "said"}
    assert people.ben.browser().post(f"{MODEL}edit/", sent)["Location"] == MODEL
    model = RegisteredModel.objects.get()
    assert (model.name, model.description) == ("iris", "said")
    assert people.max.browser().post(f"{MODEL}edit/", sent)["Location"] == "/models/forge/lily/"


def test_tags_of_a_model_come_and_go(people: People, version: ModelVersion) -> None:
    browser = people.ada.browser()
    browser.post(f"{MODEL}tag/", {"key": "owner team", "value": "risk & co"})
    assert "risk &amp; co" in browser.get(MODEL).content.decode()
    browser.post(f"{MODEL}tag/?key=owner%20team", {"key": "owner team", "remove": "on"})
    assert not RegisteredModelTag.objects.exists()
    assert browser.post(f"{MODEL}tag/", {"key": "mlflow.x", "value": ""}, headers=HTMX).status_code == 422


def test_a_version_is_described_and_tagged(people: People, version: ModelVersion) -> None:
    browser = people.ben.browser()
    browser.post(f"{VERSION}describe/", {"description": "# Head\n<script>alert(1)</script>"})
    browser.post(f"{VERSION}tag/", {"key": "validated", "value": "yes"})
    page = browser.get(VERSION).content.decode()
    assert "<h1>Head</h1>" in page
    assert "<script>alert" not in page
    assert ModelVersionTag.objects.get().value == "yes"


def test_deleting_asks_first(people: People, version: ModelVersion) -> None:
    browser = people.ada.browser()
    assert "removed for good" in browser.get(f"{VERSION}delete/", headers=HTMX).content.decode()
    assert ModelVersion.objects.exists()
    assert browser.post(f"{VERSION}delete/", headers=HTMX)["HX-Redirect"] == MODEL
    assert not ModelVersion.objects.exists()
    assert browser.post(f"{MODEL}delete/")["Location"] == "/models/"
    assert not RegisteredModel.objects.exists()


def test_a_run_is_registered_as_a_new_model(people: People) -> None:
    run_id = make_run(people.ada)
    address = f"/models/register/?run={run_id}"
    assert f"runs:/{run_id}/model" in people.ada.browser().get(address).content.decode()
    sent = {"source": f"runs:/{run_id}/model", "model": "", "new_name": "iris"}
    assert people.ada.browser().post(address, sent)["Location"] == VERSION
    panel = people.vera.browser().get("/models/registered/", {"run": run_id}).content.decode()
    assert "iris version 1" in panel


def test_a_logged_model_becomes_the_next_version(people: People, version: ModelVersion) -> None:
    run = Run.objects.get(run_id=make_run(people.ada))
    logged = make_logged_model(run)
    ModelLink.objects.create(run=run, model=logged, direction=ModelLink.Direction.OUTPUT)
    browser, address = people.ada.browser(), f"/models/register/?run={run.run_id}"
    assert logged.model_id in browser.get(address).content.decode()
    sent = {"source": f"models:/{logged.model_id}", "model": str(version.model_id)}
    assert browser.post(address, sent)["Location"] == f"{MODEL}versions/2/"
    made = ModelVersion.objects.get(number=2)
    assert (made.logged_model, made.source_run) == (logged, run)
    page = browser.get("/models/registered/", {"logged_model": logged.model_id}).content.decode()
    assert "iris version 2" in page


@pytest.mark.parametrize(
    "sent",
    [
        {"source": "runs:/{run}/model"},
        {"source": "runs:/{run}/model", "model": "{model}", "new_name": "both"},
        {"source": "runs:/{run}/../x", "new_name": "fresh"},
        {"source": "/etc/passwd", "new_name": "fresh"},
        {"source": "runs:/{run}/model", "model": "99999999"},
        {"source": "runs:/{run}/model", "new_name": "a/b"},
        {"source": "", "new_name": "fresh"},
        {"source": "runs:/{run}/\x00", "new_name": "fresh"},
    ],
)
def test_what_cannot_be_registered_leaves_nothing(people: People, version: ModelVersion, sent: dict[str, str]) -> None:
    run_id = make_run(people.ada)
    filled = {key: value.format(run=run_id, model=version.model_id) for key, value in sent.items()}
    answer = people.ada.browser().post("/models/register/", filled, headers=HTMX)
    assert answer.status_code == 422
    assert (RegisteredModel.objects.count(), ModelVersion.objects.count()) == (1, 1)


def test_a_run_of_another_team_is_not_there(people: People, version: ModelVersion) -> None:
    run_id = make_run(people.cleo, experiment="theirs")
    browser = people.ada.browser()
    assert browser.get("/models/register/", {"run": run_id}).status_code == 404
    assert browser.get("/models/registered/", {"run": run_id}).status_code == 404
    sent = {"source": f"runs:/{run_id}/model", "model": str(version.model_id)}
    assert browser.post("/models/register/", sent, headers=HTMX).status_code == 422
    assert ModelVersion.objects.count() == 1


def make_logged_model(run: Run, model_id: str = "m-" + "1" * 32, **more: object) -> LoggedModel:
    """A model that a run logged."""
    return LoggedModel.objects.create(
        model_id=model_id,
        experiment=run.experiment,
        name="classifier",
        status=LoggedModelStatus.READY,
        source_run_id=run.run_id,
        created_ms=1,
        updated_ms=1,
        **more,
    )


def test_what_a_policy_keeps_is_said_in_the_dialog(people: People, version: ModelVersion) -> None:
    rules = Rules(approvals=1, approver_role="maintainer")
    set_policy(people.root.actor, model=version.model, slot=Slot.stage("Production"), rules=rules)
    ModelVersion.objects.filter(pk=version.pk).update(stage="Production")
    for path, who in (
        (f"{VERSION}delete/", people.max),
        (f"{MODEL}delete/", people.max),
        (f"{MODEL}edit/", people.max),
    ):
        answer = who.browser().post(path, {"name": "other", "description": ""}, headers=HTMX)
        assert answer.status_code == 422, path
        assert "Production" in answer.content.decode()
    assert RegisteredModel.objects.get().name == "iris"
    assert ModelVersion.objects.exists()
