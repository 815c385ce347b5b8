from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render

from apps.core.http import ActorRequest
from apps.core.pages import methods
from apps.core.rules import signed_in
from apps.experiments import access
from apps.experiments.selectors.logged_models import logged_model_page


@signed_in
@methods("GET")
def logged_model(request: ActorRequest, model_id: str) -> HttpResponse:
    """A model that a run logged: what it is, its values, where it came from and who used it."""
    page = logged_model_page(request.actor, access.get_logged_model(request.actor, model_id))
    return render(request, "experiments/logged_model.html", {"page": page, "model": page.model})
