"""What people do with a deployment: another version, traffic, and the way back."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.forms import BaseForm
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.core.actor import Level
from apps.core.errors import InvalidInput, NotFound
from apps.core.http import ActorRequest
from apps.core.pages import MENDABLE, dialog, done, methods
from apps.core.rules import signed_in
from apps.deployments import access, actions, addresses
from apps.deployments.actions.revisions import revision_before
from apps.deployments.configuration import Config
from apps.deployments.models import Deployment, Revision, Route
from apps.deployments.selectors import choices
from apps.deployments.selectors.states import state_of
from apps.deployments.web.common import compared_of, made_words, refusals_in
from apps.deployments.web.forms import DeleteForm, DeployForm, ReasonForm, ScaleForm
from apps.registry import access as registry


@signed_in
@methods("GET", "POST")
def deploy(request: ActorRequest, name: str) -> HttpResponse:
    """Another version, all at once or as a canary. `?revision=`: as that one was, version and configuration."""
    deployment = access.get_deployment(request.actor, name, Level.EDIT)
    before = _asked_revision(request, deployment)
    if deployment.model is None:
        raise NotFound(_("Its model was deleted, so there is nothing to choose from."))
    model = registry.get_model_by_id(request.actor, deployment.model.pk)
    versions = choices.versions_to_deploy(model, before.version if before else None)
    serves = Route.objects.filter(deployment=deployment, weight__gt=0).exists()
    newest = before.version_number if before else versions[0].number if versions else ""
    asked = request.GET.get("version", "")[:12]
    initial = {"version": asked or str(newest)}
    form = DeployForm(request.POST or None, initial=initial, versions=versions, may_canary=serves)
    if request.method == "POST" and form.is_valid():
        with refusals_in(form):
            given = form.cleaned_data
            chosen = next(one for one in versions if str(one.number) == given["version"])
            config = Config.from_json(before.config) if before else None
            revision = actions.deploy_version(
                request.actor,
                deployment=deployment,
                version=chosen,
                config=config,
                reason=given["reason"],
                canary=given.get("canary", False),
            )
            messages.success(request, made_words(deployment, revision))
            return done(request, addresses.deployment_url(deployment))
    lead = _("A new revision. What serves now goes on until the new one is ready.")
    if deployment.is_stopped:
        lead = _("A new revision. The deployment is stopped, so it is made once that is started.")
    return _dialog(request, deployment, form, title=_("Deploy another version"), submit=_("Deploy"), lead=lead)


@signed_in
@methods("GET", "POST")
def roll_back(request: ActorRequest, name: str) -> HttpResponse:
    """Ask, then go back to `?to=`, or to the last revision that served before."""
    deployment = access.get_deployment(request.actor, name, Level.EDIT)
    number = request.GET.get("to", "")
    goal = access.get_revision(request.actor, deployment, number) if number else revision_before(deployment)
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if goal is not None and request.method == "POST" and form.is_valid():
        with refusals_in(form):
            actions.roll_back(request.actor, deployment=deployment, to=goal, reason=form.cleaned_data["reason"])
            said = _("%(name)s goes back to revision %(n)s.") % {"name": name, "n": goal.number}
            messages.success(request, made_words(deployment, goal) if deployment.is_stopped else said)
            return done(request, addresses.deployment_url(deployment))
    if goal is None:
        lead = _("There is no earlier revision that was ready, so there is nothing to go back to.")
        return _dialog(request, deployment, None, title=_("Roll back"), lead=lead)
    words = {"n": goal.number, "model": goal.model_name, "version": goal.version_number}
    lead = _("All traffic goes to revision %(n)s, %(model)s version %(version)s.") % words
    lead += " " + _how_soon(goal)
    return _dialog(
        request, deployment, form, title=_("Roll back to revision %s?") % goal.number, submit=_("Roll back"), lead=lead
    )


@signed_in
@methods("POST")
def retry(request: ActorRequest, name: str, number: int) -> HttpResponse:
    """Try a revision that failed once more."""
    deployment = access.get_deployment(request.actor, name, Level.EDIT)
    revision = access.get_revision(request.actor, deployment, number)
    said = made_words(deployment, revision) if deployment.is_stopped else _("It is tried again.")
    return _done_or_said(request, said, actions.retry_revision, deployment=deployment, revision=revision)


@signed_in
@methods("POST")
def shift(request: ActorRequest, name: str) -> HttpResponse:
    """Give revision `canary` so many percent of the traffic, and `base` the rest."""
    deployment = access.get_deployment(request.actor, name, Level.EDIT)
    canary, base, percent = (_number(request, field) for field in ("canary", "base", "percent"))
    weights = {canary: percent} if percent == 100 else {base: 100 - percent, canary: percent}
    said = _("Revision %(n)s gets %(percent)s %% of the traffic.") % {"n": canary, "percent": percent}
    return _done_or_said(request, said, actions.shift_traffic, deployment=deployment, weights=weights)


@signed_in
@methods("GET", "POST")
def promote(request: ActorRequest, name: str, number: int) -> HttpResponse:
    """Ask, with what each side did beside the question, then give a revision all the traffic."""
    deployment = access.get_deployment(request.actor, name, Level.EDIT)
    goal = access.get_revision(request.actor, deployment, number)
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        with refusals_in(form):
            reason = form.cleaned_data["reason"]
            actions.shift_traffic(request.actor, deployment=deployment, weights={goal.number: 100}, reason=reason)
            messages.success(request, _("Revision %s gets all the traffic.") % goal.number)
            return done(request, addresses.deployment_url(deployment))
    words = {"n": goal.number, "model": goal.model_name, "version": goal.version_number}
    lead = _("All traffic goes to revision %(n)s, %(model)s version %(version)s.") % words
    state = state_of(deployment, with_versions=True)
    more = {"below": "deployments/_sides.html", "compared": compared_of(state), "canary": state.canary}
    title = _("Give revision %s all the traffic?") % goal.number
    return _dialog(request, deployment, form, title=title, submit=_("Promote"), lead=lead, **more)


@signed_in
@methods("POST")
def end_canary(request: ActorRequest, name: str, number: int) -> HttpResponse:
    """Give its traffic back, and let it rest."""
    deployment = access.get_deployment(request.actor, name, Level.EDIT)
    revision = access.get_revision(request.actor, deployment, number)
    said = _("The canary is ended.")
    return _done_or_said(request, said, actions.end_canary, deployment=deployment, revision=revision)


@signed_in
@methods("POST")
def accept(request: ActorRequest, name: str) -> HttpResponse:
    """Deploy what is proposed; with `canary=1` as a canary."""
    deployment = access.get_deployment(request.actor, name, Level.EDIT)
    canary = request.POST.get("canary") == "1"
    said = _("What was proposed is being made ready.")
    if deployment.is_stopped:
        said = _("What was proposed is made once the deployment is started.")
    return _done_or_said(request, said, actions.accept_proposal, deployment=deployment, canary=canary)


@signed_in
@methods("POST")
def dismiss(request: ActorRequest, name: str) -> HttpResponse:
    """Leave it as it is."""
    deployment = access.get_deployment(request.actor, name, Level.EDIT)
    return _done_or_said(request, _("It stays as it is."), actions.dismiss_proposal, deployment=deployment)


@signed_in
@methods("GET", "POST")
def scale(request: ActorRequest, name: str) -> HttpResponse:
    """How many instances there are."""
    deployment = access.get_deployment(request.actor, name, Level.EDIT)
    now = deployment.wanted.instances_wanted if deployment.wanted else 1
    form = ScaleForm(request.POST or None, initial={"instances": now})
    if request.method == "POST" and form.is_valid():
        with refusals_in(form):
            actions.scale(request.actor, deployment=deployment, instances=form.cleaned_data["instances"])
            return done(request, reverse("deployments:instances", args=(deployment.name,)))
    return _dialog(request, deployment, form, title=_("How many instances"), submit=_("Save"))


@signed_in
@methods("GET", "POST")
def stop(request: ActorRequest, name: str) -> HttpResponse:
    """Ask, then let nothing of it run."""
    deployment = access.get_deployment(request.actor, name, Level.EDIT)
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        with refusals_in(form):
            actions.stop_deployment(request.actor, deployment=deployment, reason=form.cleaned_data["reason"])
            return done(request, addresses.deployment_url(deployment))
    lead = _("Its instances finish what they are doing and end; its address answers 503 until it is started again.")
    return _dialog(
        request, deployment, form, title=_("Stop %s?") % deployment.name, submit=_("Stop"), lead=lead, danger=True
    )


@signed_in
@methods("POST")
def start(request: ActorRequest, name: str) -> HttpResponse:
    """Let it serve again."""
    deployment = access.get_deployment(request.actor, name, Level.EDIT)
    return _done_or_said(request, _("It starts."), actions.start_deployment, deployment=deployment)


@signed_in
@methods("GET", "POST")
def delete(request: ActorRequest, name: str) -> HttpResponse:
    """Ask for its name, then remove it for good."""
    deployment = access.get_deployment(request.actor, name, Level.MANAGE)
    form = DeleteForm(request.POST if request.method == "POST" else None, expected=deployment.name)
    if request.method == "POST" and form.is_valid():
        with refusals_in(form):
            actions.delete_deployment(request.actor, deployment=deployment)
            messages.success(request, _("“%(name)s” is deleted.") % {"name": deployment.name})
            return done(request, reverse("deployments:deployments"))
    lead = _("It goes for good, with its revisions, its traffic and its address. What it did stays in the audit log.")
    if not deployment.is_stopped:
        lead += " " + _("Stop it first.")
    return _dialog(
        request, deployment, form, title=_("Delete %s?") % deployment.name, submit=_("Delete"), lead=lead, danger=True
    )


def _dialog(request: ActorRequest, deployment: Deployment, form: BaseForm | None, **more: Any) -> HttpResponse:
    action = request.get_full_path()
    return dialog(request, form, back=addresses.deployment_url(deployment), **({"action": action} | more))


def _done_or_said(
    request: ActorRequest, said: str, action: Any, *, deployment: Deployment, **given: Any
) -> HttpResponse:
    """Do it and go to the deployment's page, which says what was done, or why not."""
    try:
        action(request.actor, deployment=deployment, **given)
    except MENDABLE as error:
        messages.error(request, error.message)
    else:
        messages.success(request, said)
    return redirect(addresses.deployment_url(deployment))


def _asked_revision(request: ActorRequest, deployment: Deployment) -> Revision | None:
    number = request.GET.get("revision", "")
    return access.get_revision(request.actor, deployment, number) if number else None


def _number(request: ActorRequest, name: str) -> int:
    given = request.POST.get(name, "")
    if not given.isascii() or not given.isdigit() or len(given) > 9:
        raise InvalidInput(f"{name} has to be a number.")
    return int(given)


def _how_soon(goal: Revision) -> str:
    match goal.state:
        case "ready":
            return _("It is warm: that takes a moment.")
        case "failed":
            return _("It failed when it was last tried, and is made ready anew first.")
    return _("It is built, and has to start first: that takes some seconds.")
