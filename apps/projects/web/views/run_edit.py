"""Cancelling runs, one by one and several at once."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from apps.core.actor import Level
from apps.core.errors import DomainError, InvalidInput
from apps.core.http import ActorRequest
from apps.core.keys import parse_key
from apps.core.pages import dialog, done, methods
from apps.core.rules import signed_in
from apps.projects import access, actions, addresses
from apps.projects.web.common import refusals_in
from apps.projects.web.forms import ReasonForm

_MOST = 200


@signed_in
@methods("GET", "POST")
def run_cancel(request: ActorRequest, run_id: int) -> HttpResponse:
    """Ask why, then cancel: what waits ends at once, what goes on is killed by its worker."""
    run = access.get_project_run(request.actor, run_id, Level.EDIT)
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        with refusals_in(form):
            actions.cancel_run(request.actor, run=run, reason=form.cleaned_data["reason"])
            return done(request, addresses.run_url(run))
    return dialog(
        request,
        form,
        title=_("Cancel %(run)s") % {"run": run},
        submit=_("Cancel the run"),
        lead=_("All its processes are ended within ten seconds. What it logged so far stays."),
        danger=True,
        back=addresses.run_url(run),
    )


@signed_in
@methods("POST")
def runs_cancel(request: ActorRequest) -> HttpResponse:
    """Cancel the runs that were picked, as far as the caller may; say how many, and why others not."""
    keys = [parse_key(key) for key in request.POST.getlist("run")]
    if not keys or None in keys or len(keys) > _MOST:
        raise InvalidInput(f"Name between 1 and {_MOST} runs.")
    refused: list[str] = []
    for key in keys:
        try:
            run = access.get_project_run(request.actor, key or 0, Level.EDIT)
            actions.cancel_run(request.actor, run=run, reason=request.POST.get("reason", "").replace("\x00", ""))
        except DomainError as error:
            refused.append(error.message)
    _say(request, len(keys) - len(refused), refused)
    return redirect(reverse("projects:runs"))


def _say(request: ActorRequest, count: int, refused: list[str]) -> None:
    if count:
        said = ngettext("%(n)s run is cancelled.", "%(n)s runs are cancelled.", count) % {"n": count}
        messages.success(request, said)
    if refused:
        messages.error(request, " ".join(dict.fromkeys(refused[:5])))
