"""Stores the stories of models through the actions that scripts and people use. Only the times are set back after."""

from __future__ import annotations

import io
from dataclasses import dataclass, field

from apps.accounts.authentication import actor_of_user
from apps.accounts.models import Team, User
from apps.core.actor import Actor, Via, system_actor
from apps.core.paths import ArtifactPath
from apps.experiments.actions import now_ms
from apps.experiments.actions.datasets import log_outputs
from apps.experiments.actions.logged_models import create_logged_model, finalize_logged_model
from apps.experiments.artifacts.folders import folder_of_logged_model
from apps.experiments.models import Experiment, LoggedModel, LoggedModelStatus, Run
from apps.registry import actions
from apps.registry.deciding import approvers_of
from apps.registry.demo.backdating import hours_ago, set_back
from apps.registry.demo.files import files_of
from apps.registry.demo.stories import MODELS, PROMPTS, TEAM_RULES, DemoModel, DemoPrompt, DemoVersion, Step
from apps.registry.models import ApproverGroup, ModelVersion, PromotionRequest, RegisteredModel
from apps.registry.policies import Rules
from apps.registry.stages import Slot, Stage

PRODUCTION = Slot.stage(Stage.PRODUCTION)
_GROUP = "clinical board"
_HOURS_BEFORE = 4


@dataclass
class Told:
    """How much was made; `open_requests` says who may decide on what, in sentences."""

    models: int = 0
    versions: int = 0
    prompts: int = 0
    open_requests: list[str] = field(default_factory=list)


def tell() -> Told:
    """Make what is missing of the models and prompts of the demo teams, which are there. Whole models or nothing."""
    told = Told()
    for story in MODELS:
        team = Team.objects.get(name=story.team)
        if _is_missing(team, story.name) and Experiment.objects.filter(team=team, name=story.experiment).exists():
            _tell_model(team, story, told)
    for prompt in PROMPTS:
        team = Team.objects.get(name=prompt.team)
        if _is_missing(team, prompt.name):
            _tell_prompt(team, prompt, told)
    return told


def _is_missing(team: Team, name: str) -> bool:
    return not RegisteredModel.objects.filter(team=team, name=name).exists()


def _tell_model(team: Team, story: DemoModel, told: Told) -> None:
    actions.set_policy(system_actor(), team=team, slot=PRODUCTION, rules=TEAM_RULES)
    maker, started = _actor(story.maker, team), now_ms()
    model = actions.create_model(maker, name=story.name, description=story.description, tags=list(story.tags.items()))
    told.models += 1
    if story.policy:
        actions.set_policy(system_actor(), model=model, slot=PRODUCTION, rules=_with_group(team, story.policy))
    for plan in story.versions:
        if version := _version(maker, team, model, story, plan):
            told.versions += 1
            _say(team, version, plan, started)
            told.open_requests += _who_decides(version)


def _with_group(team: Team, rules: Rules) -> Rules:
    """Where two approve, the second is of a group: the team has one maintainer."""
    if rules.approvals < 2:
        return rules
    group = ApproverGroup.objects.filter(team=team, name=_GROUP).first()
    if group is None:
        members = list(User.objects.filter(username__in=["lin", "demo"]))
        group = actions.create_group(system_actor(), team=team, name=_GROUP, members=members)
    return Rules.from_json(rules.to_json() | {"approver_group": group.pk})


def _version(
    maker: Actor, team: Team, model: RegisteredModel, story: DemoModel, plan: DemoVersion
) -> ModelVersion | None:
    run = Run.objects.active().filter(experiment__team=team, experiment__name=story.experiment)
    found = run.filter(name__startswith=plan.run, status="FINISHED").select_related("experiment").order_by("pk").last()
    if found is None:
        return None
    logged = _log_model(maker, found, story)
    source = f"models:/{logged.model_id}"
    return actions.create_version(
        maker,
        model=model,
        source=source,
        run_id=found.run_id,
        description=plan.description,
        tags=list(plan.tags.items()),
        model_id=logged.model_id,
    )


def _log_model(maker: Actor, run: Run, story: DemoModel) -> LoggedModel:
    logged = create_logged_model(maker, experiment=run.experiment, name="model", source_run_id=run.run_id)
    folder = folder_of_logged_model(logged)
    for path, content in files_of(story, logged.model_id, run.run_id):
        folder.write(ArtifactPath.parse(path), io.BytesIO(content), len(content))
    finalize_logged_model(maker, model=logged, status=LoggedModelStatus.READY)
    log_outputs(maker, run=run, steps={logged.model_id: 0})
    return logged


def _say(team: Team, version: ModelVersion, plan: DemoVersion, started: int) -> None:
    """Take the steps, each at its time; the version was made some hours before the first."""
    set_back(version.model, started, hours_ago(plan.steps[0].hours + _HOURS_BEFORE))
    for step in plan.steps:
        _take(_actor(step.who, team), version, step)
        set_back(version.model, started, hours_ago(step.hours))
    for who, words in plan.comments:
        actions.comment_on(_actor(who, team), version=version, text=words)
    set_back(version.model, started, hours_ago(plan.steps[-1].hours - 1))


def _take(actor: Actor, version: ModelVersion, step: Step) -> None:
    """One step of a story."""
    if step.do == "alias":
        actions.set_alias(actor, model=version.model, alias=step.what, version=version)
    elif step.do == "move":
        actions.move_version(actor, version=version, stage=step.what, comment=step.words)
    elif step.do == "ask":
        actions.ask(actor, version=version, slot=Slot.stage(step.what), comment=step.words)
    elif step.do == "roll back":
        actions.roll_back(actor, model=version.model, slot=Slot.stage(step.what), reason=step.words)
    else:
        decide = actions.approve_request if step.do == "approve" else actions.reject_request
        decide(actor, request=_open(version), comment=step.words)


def _open(version: ModelVersion) -> PromotionRequest:
    return PromotionRequest.objects.open().select_related("version__model__team", "requester").get(version=version)


def _who_decides(version: ModelVersion) -> list[str]:
    said = []
    found = PromotionRequest.objects.open().filter(version=version)
    for request in found.select_related("version__model__team", "version__owner", "requester"):
        waiting = approvers_of(request).exclude(pk__in=request.decisions.values("user_id"))
        names = ", ".join(waiting.values_list("username", flat=True))
        said.append(f"{request.version} to {request.slot}: {names} may decide at /approvals/{request.pk}/")
    return said


def _tell_prompt(team: Team, story: DemoPrompt, told: Told) -> None:
    maker = _actor(story.maker, team)
    (text, message), *later = story.texts
    version = actions.create_prompt(maker, name=story.name, description=story.description, text=text, message=message)
    told.prompts += 1
    for text, message in later:
        version = actions.write_prompt(maker, model=version.model, text=text, message=message)
    actions.set_alias(maker, model=version.model, alias="live", version=version)


def _actor(name: str, team: Team) -> Actor:
    return actor_of_user(User.objects.get(username=name), Via.SYSTEM).speaking_for(team.pk)
