"""Prompts: registered models that hold text, with pages of their own."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.core.actor import Level
from apps.core.errors import NotFound
from apps.core.http import ActorRequest, is_fragment
from apps.core.pages import dialog, done, errors_in, methods
from apps.core.rules import signed_in
from apps.registry import access, actions, addresses
from apps.registry.models import RegisteredModel
from apps.registry.selectors import models, prompts
from apps.registry.web.model_forms import NewPromptForm, PromptForm
from apps.registry.web.views.models import frame, listed, searched


@signed_in
@methods("GET")
def prompt_list(request: ActorRequest) -> HttpResponse:
    """The prompts of the team and those granted: search, sort, pages."""
    text, sort = searched(request), request.GET.get("sort", "-updated")
    context = listed(request, text, sort, prompts=True)
    template = "_prompt_table" if is_fragment(request) else "prompt_list"
    return render(request, f"registry/{template}.html", context)


@signed_in
@methods("GET")
def prompt_detail(request: ActorRequest, team: str, name: str) -> HttpResponse:
    """A prompt: its newest version, or `?version=`; with `?against=` what changed since that one."""
    model = access.get_model_in(request.actor, team, name)
    if not model.is_prompt:
        return redirect(addresses.model_url(model))
    context = frame(request.actor, model) | {"tab": "versions", "tags": models.tags_of(model)}
    context |= {"versions": prompts.versions_of(model)} | _chosen(request, model, context["summary"].newest)
    return render(request, "registry/prompt_detail.html", context)


@signed_in
@methods("GET", "POST")
def prompt_new(request: ActorRequest) -> HttpResponse:
    """Make a prompt with its first version, in the team that the page speaks for."""
    form = NewPromptForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with errors_in(form, "name"):
            version = actions.create_prompt(request.actor, **_written(form), name=form.cleaned_data["name"])
            return done(request, addresses.model_url(version.model))
    return dialog(request, form, title=_("New prompt"), submit=_("Create"), back=reverse("registry:prompts"))


@signed_in
@methods("GET", "POST")
def prompt_write(request: ActorRequest, team: str, name: str) -> HttpResponse:
    """Write the next version, beginning with the text of the newest."""
    model = access.get_model_in(request.actor, team, name, Level.EDIT)
    if not model.is_prompt:
        raise NotFound(f"Prompt with name={name} not found")
    form = PromptForm(request.POST or None, initial={"template": prompts.newest_text(model)})
    back = addresses.model_url(model)
    if request.method == "POST" and form.is_valid():
        with errors_in(form, "template"):
            actions.write_prompt(request.actor, model=model, **_written(form))
            return done(request, back)
    return dialog(request, form, title=_("New version"), submit=_("Save"), back=back)


def _written(form: PromptForm) -> dict[str, str]:
    return {"text": form.cleaned_data["template"], "message": form.cleaned_data["commit_message"]}


def _chosen(request: ActorRequest, model: RegisteredModel, newest: int | None) -> dict[str, Any]:
    if newest is None:
        return {"version": None}
    version = access.version_of(model, access.parse_number(request.GET.get("version") or newest))
    context: dict[str, Any] = {"version": version, "prompt": prompts.prompt_of(version)}
    context["call"] = prompts.python_call(version)
    if wanted := request.GET.get("against"):
        against = access.version_of(model, access.parse_number(wanted))
        context |= {
            "against": against,
            "lines": prompts.changes(prompts.prompt_of(against).plain, context["prompt"].plain),
        }
    return context
