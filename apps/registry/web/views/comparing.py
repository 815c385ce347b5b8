"""Two versions of a model side by side."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from apps.core.errors import InvalidInput
from apps.core.http import ActorRequest
from apps.core.pages import methods
from apps.core.rules import signed_in
from apps.registry import access, addresses
from apps.registry.selectors.differences import differences


@signed_in
@methods("GET")
def compare(request: ActorRequest, team: str, name: str) -> HttpResponse:
    """`?versions=1&versions=2`: what differs between them, in that order; `?only=1` leaves out what doesn't."""
    model = access.get_model_in(request.actor, team, name)
    numbers = _numbers(request)
    before, after = (access.version_of(model, number) for number in numbers)
    sections = differences(request.actor, before, after)
    context = {"model": model, "before": before, "after": after, "sections": sections}
    context |= {"only": request.GET.get("only") == "1", "changed": sum(section.changed for section in sections)}
    context["swapped_url"] = f"{addresses.model_url(model)}compare/?versions={numbers[1]}&versions={numbers[0]}"
    return render(request, "registry/version_compare.html", context)


def _numbers(request: ActorRequest) -> list[int]:
    given = request.GET.getlist("versions")
    if len(given) != 2:
        raise InvalidInput(_("Choose two versions to compare."))
    return [access.parse_number(number) for number in given]
