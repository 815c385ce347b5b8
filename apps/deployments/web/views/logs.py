"""What instances write, as it comes."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.http import content_disposition_header

from apps.core.http import ActorRequest, json_response
from apps.core.keys import parse_key
from apps.core.pages import methods
from apps.core.rules import signed_in
from apps.deployments import access
from apps.deployments.actions.instances import want_log
from apps.deployments.models import Deployment, Instance
from apps.deployments.selectors import rows
from apps.deployments.selectors.logs import read_log
from apps.deployments.selectors.overview import unbuilt
from apps.deployments.web.common import frame

# What a page begins with: the end of it.
SHOWN_BYTES = 96 * 1024
PIECE_BYTES = 128 * 1024
_WHOLE_BYTES = 16 * 1024 * 1024


@signed_in
@methods("GET")
def deployment_logs(request: ActorRequest, name: str) -> HttpResponse:
    """The log of one of its instances: `?instance=`, else the newest of what is wanted."""
    deployment = access.get_deployment(request.actor, name)
    found = rows.instance_rows(deployment)
    asked = parse_key(request.GET.get("instance", ""))
    chosen = access.get_instance(request.actor, deployment, asked) if asked is not None else _usual(deployment, found)
    context = frame(request.actor, deployment, "logs") | {"rows": found, "instance": chosen}
    context["unbuilt"] = unbuilt(context["state"], found)
    if chosen is not None:
        want_log(request.actor, instance=chosen)
        context["log"] = read_log(chosen, -SHOWN_BYTES, SHOWN_BYTES)
    return render(request, "deployments/logs.html", context)


@signed_in
@methods("GET")
def instance_log(request: ActorRequest, name: str, instance: int) -> HttpResponse:
    """What there is as text, with `?download=1` as a file; or what came after `?offset=` bytes, as JSON."""
    deployment = access.get_deployment(request.actor, name)
    one = access.get_instance(request.actor, deployment, instance)
    want_log(request.actor, instance=one)
    if "offset" in request.GET:
        return json_response(_news(one, parse_key(request.GET["offset"]) or 0), headers={"Cache-Control": "no-store"})
    response = HttpResponse(read_log(one, 0, _WHOLE_BYTES).text, content_type="text/plain; charset=utf-8")
    is_file = request.GET.get("download") == "1"
    disposition = content_disposition_header(is_file, f"{deployment.name}-{one.pk}.log")
    response["Content-Disposition"] = disposition or "inline"
    response["Cache-Control"] = "private, no-cache"
    return response


def _usual(deployment: Deployment, found: list[Instance]) -> Instance | None:
    of_wanted = [one for one in found if one.revision_id == deployment.wanted_id and one.ended_ms is None]
    return next(iter([*of_wanted, *found]), None)


def _news(instance: Instance, offset: int) -> dict[str, Any]:
    """`start`, `next` and `text` of the log; `state` of the instance, and whether nothing comes any more."""
    piece = read_log(instance, offset, PIECE_BYTES)
    is_over = instance.ended_ms is not None and piece.end <= offset
    return {
        "start": piece.start,
        "next": piece.end,
        "text": piece.text,
        "state": instance.state,
        "complete": is_over,
    }
