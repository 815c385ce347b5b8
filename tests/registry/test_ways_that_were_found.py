"""Ways around the rules that somebody found by looking for them. Each was open once."""

from __future__ import annotations

from typing import Any

import pytest

from apps.accounts import actions as accounts
from apps.accounts.models import Grant, Team
from apps.audit.models import Event
from apps.core.actor import Level, Role, system_actor
from apps.core.errors import Conflict, InvalidInput, PermissionDenied
from apps.registry import actions
from apps.registry.actions import requests
from apps.registry.models import ModelVersion, Override, PromotionRequest, RegisteredModel
from apps.registry.policies import Rules
from apps.registry.stages import Slot
from tests.personas import PASSWORD, People, Persona, token_for
from tests.registry import made
from tests.registry.promotion.making import PRODUCTION, STAGING, make_model, make_version, set_policy, stage_of

SITE: dict[str, Any] = {"approver_role": "site", "is_final": True}


def person(name: str, team: Team, role: Role) -> Persona:
    user = accounts.create_user(system_actor(), username=name, password=PASSWORD, team=team, role=role)
    return Persona(user, token_for(user))


def robot(name: str, team: Team, role: Role = Role.MEMBER) -> Persona:
    user = accounts.create_user(system_actor(), username=name, password=None, is_service=True, team=team, role=role)
    return Persona(user, token_for(user))


@pytest.fixture
def amy(people: People) -> Persona:
    """She administers forge."""
    return person("amy", people.forge, Role.ADMIN)


@pytest.fixture
def model(people: People) -> RegisteredModel:
    return make_model(people.ada)


@pytest.fixture
def version(people: People, model: RegisteredModel) -> ModelVersion:
    return make_version(people.ada, model)


@pytest.mark.parametrize("approvals", [1, 3])
def test_approvers_of_staging_do_not_speak_for_production(
    people: People, amy: Persona, version: ModelVersion, approvals: int
) -> None:
    set_policy(people, **SITE)
    weak = Rules(approver_role="member", approvals=approvals, override_by="maintainer")
    actions.set_policy(amy.actor, team=people.forge, slot=STAGING, rules=weak)
    actions.move_version(amy.actor, version=version, stage="Staging", comment="mine to move")
    request = actions.ask(people.ada.actor, version=version, slot=PRODUCTION)
    for each in (people.ben, people.max, amy):
        with pytest.raises(PermissionDenied, match="administrators of the site"):
            actions.approve_request(each.actor, request=request)
    assert stage_of(version) == "Staging"


def test_nor_do_those_of_archived_for_leaving_it(people: People, amy: Persona, version: ModelVersion) -> None:
    set_policy(people, **SITE)
    archived = Slot.stage("Archived")
    actions.set_policy(amy.actor, team=people.forge, slot=archived, rules=Rules(approver_role="member", approvals=2))
    actions.approve_request(people.root.actor, request=actions.ask(people.ada.actor, version=version, slot=PRODUCTION))
    version.refresh_from_db()
    request = actions.ask(people.ada.actor, version=version, slot=archived)
    for each in (people.ben, people.max):
        with pytest.raises(PermissionDenied, match="administrators of the site"):
            actions.approve_request(each.actor, request=request)
    assert stage_of(version) == "Production"


def test_going_back_in_staging_takes_nothing_out_of_production(
    people: People, amy: Persona, model: RegisteredModel, version: ModelVersion
) -> None:
    set_policy(people, **SITE, rollback_by="admin")
    later = make_version(people.ada, model)
    actions.move_version(amy.actor, version=version, stage="Staging")
    version.refresh_from_db()
    request = actions.ask(people.ada.actor, version=version, slot=PRODUCTION)
    actions.approve_request(people.root.actor, request=request)
    actions.move_version(amy.actor, version=later, stage="Staging")
    asked = actions.roll_back(amy.actor, model=model, slot=STAGING, reason="back")
    assert isinstance(asked, PromotionRequest)
    assert stage_of(version) == "Production"


@pytest.fixture
def hana(people: People) -> Persona:
    """She administers harbour and its robots, and is a maintainer in forge."""
    hana = person("hana", people.harbour, Role.ADMIN)
    accounts.add_member(system_actor(), team=people.forge, user=hana.user, role=Role.MAINTAINER)
    return hana


def robot_of_harbour(people: People) -> Persona:
    made = robot("porter", people.harbour)
    accounts.add_member(system_actor(), team=people.forge, user=made.user, role=Role.MEMBER)
    return made


def approval(who: Persona, request: PromotionRequest) -> None:
    """By the API, where everything is fetched anew."""
    answer = who.request("POST", f"/api/v1/promotion-requests/{request.pk}/approve/")
    assert (answer.status_code, answer.json().get("details")) == (409, {"reason": "self_approval"}), answer.content


def test_a_robot_that_is_gone_was_still_its_holders(people: People, hana: Persona, model: RegisteredModel) -> None:
    set_policy(people)
    porter = robot_of_harbour(people)
    request = actions.ask(porter.actor, version=make_version(porter, model), slot=PRODUCTION)
    accounts.delete_user(hana.actor, user=porter.user)
    approval(hana, request)


def test_a_role_that_was_given_up_was_held_when_the_robot_asked(
    people: People, hana: Persona, model: RegisteredModel
) -> None:
    set_policy(people)
    porter = robot_of_harbour(people)
    request = actions.ask(porter.actor, version=make_version(porter, model), slot=PRODUCTION)
    accounts.set_role(system_actor(), team=people.harbour, user=hana.user, role=Role.MEMBER)
    approval(hana, request)


def test_who_made_a_robots_token_may_have_kept_it(people: People, hana: Persona, model: RegisteredModel) -> None:
    set_policy(people)
    porter = robot_of_harbour(people)
    accounts.create_token(hana.actor, user=porter.user, name="kept")
    accounts.set_role(system_actor(), team=people.harbour, user=hana.user, role=Role.MEMBER)
    request = actions.ask(porter.actor, version=make_version(porter, model), slot=PRODUCTION)
    approval(hana, request)


def test_no_robot_reviews_what_its_holder_did(people: People, amy: Persona, version: ModelVersion) -> None:
    set_policy(people, override_by="admin")
    helper = robot("helper", people.forge, Role.ADMIN)
    actions.move_version(amy.actor, version=version, stage="Production", comment="it burns")
    override = Override.objects.get()
    answer = helper.request("POST", f"/api/v1/overrides/{override.pk}/review/", {"review": "fine"})
    assert answer.status_code == 403
    assert Override.objects.get().reviewed_ms is None


@pytest.mark.parametrize("stage", ["Production", "Staging"])
def test_who_made_a_model_does_not_take_its_name_from_production(
    people: People, model: RegisteredModel, version: ModelVersion, stage: str
) -> None:
    actions.move_version(people.max.actor, version=version, stage=stage)
    with pytest.raises(PermissionDenied, match=stage.lower()):
        actions.delete_model(people.ada.actor, model=model)
    with pytest.raises(PermissionDenied, match=stage.lower()):
        actions.rename_model(people.ada.actor, model=model, name="other")
    actions.rename_model(people.max.actor, model=model, name="other")


def test_a_model_does_not_shed_its_own_policies_by_another_name(
    people: People, amy: Persona, model: RegisteredModel
) -> None:
    rules = Rules(approvals=2, approver_role="admin")
    actions.set_policy(amy.actor, model=model, slot=PRODUCTION, rules=rules)
    for each in (people.ada, people.max):
        with pytest.raises(PermissionDenied, match="policies of its own"):
            actions.delete_model(each.actor, model=model)
        with pytest.raises(PermissionDenied, match="policies of its own"):
            actions.rename_model(each.actor, model=model, name="other")
    actions.delete_model(amy.actor, model=model)
    before = Event.objects.get(code="registered_model.deleted").before
    assert before and before["policies"]["Production"]["approvals"] == 2


def test_nobody_fills_the_inboxes_of_those_who_decide(
    people: People, version: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests, "MOST_OPEN", 3)
    asked = [actions.ask(people.vera.actor, version=version, slot=Slot.alias(f"a{number}")) for number in range(3)]
    with pytest.raises(Conflict, match="take some back"):
        actions.ask(people.vera.actor, version=version, slot=PRODUCTION)
    actions.ask(people.ben.actor, version=version, slot=PRODUCTION)
    actions.cancel_request(people.vera.actor, request=asked[0])
    actions.ask(people.vera.actor, version=version, slot=PRODUCTION)


def test_a_check_is_wanted_of_an_account_that_there_is(people: People) -> None:
    gate = {"kind": "check", "params": {"name": "tests", "reporter": "ci-bot"}}
    with pytest.raises(InvalidInput, match="names no account"):
        set_policy(people, gates=(gate,))
    robot("ci-bot", people.forge)
    set_policy(people, gates=(gate,))


def test_an_alias_in_other_letters_is_as_protected(people: People, model: RegisteredModel) -> None:
    version = make_version(people.ada, model)
    set_policy(people, Slot.alias("champion"))
    for alias in ("champion", "Champion", "CHAMPION"):
        with pytest.raises(PermissionDenied, match="governed by a policy"):
            actions.set_alias(people.max.actor, model=model, alias=alias, version=version)
    request = actions.ask(people.ben.actor, version=version, slot=Slot.alias("Champion"))
    actions.approve_request(people.max.actor, request=request)
    with pytest.raises(Conflict, match="Champion"):
        actions.delete_version(people.root.actor, version=version)


def test_robots_that_go_with_their_team_are_not_gone_in_silence(people: People) -> None:
    yard = accounts.create_team(system_actor(), name="yard")
    crane = robot("crane", yard)
    accounts.delete_team(people.root.actor, team=yard)
    event = Event.objects.get(code="user.deleted")
    assert (event.object_id, event.object_name, event.actor_name) == (str(crane.user.pk), "crane", "root")


@pytest.mark.parametrize("below", ["{run}/artifacts/model", "{run}/artifacts", "{run}", "models/m-{run}/artifacts"])
def test_no_experiment_lies_in_the_folder_of_somebody_elses_run(people: People, settings: Any, below: str) -> None:
    settings.ARTIFACT_LOCATIONS = ("s3://bucket/team",)
    location = f"s3://bucket/team/{below.format(run='0a' * 16)}"
    people.ada.call("POST", "experiments/create", {"name": "x", "artifact_location": location}, expect=400)
    people.ada.call("POST", "experiments/create", {"name": "x", "artifact_location": "s3://bucket/team/models"})


def test_no_right_on_a_model_outlives_it(people: People, model: RegisteredModel) -> None:
    Grant.objects.create(kind="registered_model", object_id=model.pk, user=people.cleo.user, level=Level.MANAGE)
    actions.delete_model(people.ada.actor, model=model)
    assert not Grant.objects.exists()


def test_what_left_production_does_not_come_back_with_other_files(people: People) -> None:
    set_policy(people)
    run, address = made.run_of(people.ada, made.experiment_of(people.ada))
    made.version(people.ada, made.model(people.ada), f"runs:/{run}/model")
    file = f"/api/2.0/mlflow-artifacts/artifacts/{address.removeprefix('mlflow-artifacts:/')}/model/model.pkl"
    assert people.ada.request("PUT", file, b"good").status_code == 200
    version = ModelVersion.objects.get()
    for stage in ("Production", "Archived"):
        request = actions.ask(people.ada.actor, version=version, slot=Slot.stage(stage))
        actions.approve_request(people.max.actor, request=request)
        version.refresh_from_db()
    answer = people.ada.request("PUT", file, b"evil")
    assert (answer.status_code, "can come back there" in answer.json()["message"]) == (409, True)
    # It may go: then nothing comes back.
    people.ada.call("POST", "runs/delete", {"run_id": run})
