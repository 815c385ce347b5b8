from __future__ import annotations

import sys

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from prometheus_client import CONTENT_TYPE_LATEST

from apps.core import checks, monitoring
from apps.core.actor import Actor, Scope
from apps.core.errors import PermissionDenied
from apps.core.http import ActorRequest, is_api_path, json_response
from apps.core.middleware import answer_for
from apps.core.rules import open_to_all, scope_words, signed_in


@open_to_all
def version(request: HttpRequest) -> HttpResponse:
    """The release of MLflow whose protocol is spoken, as clients expect it."""
    return HttpResponse(settings.MLFLOW_PROTOCOL_VERSION, content_type="text/plain")


@open_to_all
def live(request: HttpRequest) -> HttpResponse:
    """`OK` from a process that answers, whatever its parts do: starting it anew would not bring those back."""
    return HttpResponse("OK", content_type="text/plain")


@open_to_all
def health(request: HttpRequest) -> HttpResponse:
    """`OK`, or 503 with the parts that fail."""
    failing = [name for name, well in checks.run_checks(checks.NEEDED).items() if not well]
    if not failing:
        return HttpResponse("OK", content_type="text/plain")
    text = f"failing: {', '.join(failing)}\n"
    return HttpResponse(text, status=503, content_type="text/plain", headers={"Retry-After": "2"})


@open_to_all
def ready(request: HttpRequest) -> HttpResponse:
    """All parts as JSON; 503 unless calls can be taken. A worker that is away is told, and is no reason for 503."""
    parts = checks.run_checks(checks.ALL)
    is_ready = all(parts[name] for name in checks.READY)
    shown = {name: "ok" if well else "failing" for name, well in parts.items()}
    body = {"status": "ready" if is_ready else "failing", "version": settings.SLIPWAY_VERSION, "parts": shown}
    return json_response(body, 200 if is_ready else 503, {} if is_ready else {"Retry-After": "2"})


def _metrics_words(actor: Actor) -> str:
    if not actor.is_admin:
        return "Permission denied: administrators of the site read this, and tokens of theirs of the scope metrics."
    return scope_words(actor, Scope.METRICS)


@signed_in
def metrics(request: ActorRequest) -> HttpResponse:
    """Prometheus' text form, for administrators: it tells of all teams. Their tokens of the scope `metrics` suffice."""
    actor = request.actor
    if not (actor.is_admin and (Scope.METRICS in actor.scopes or actor.may_use(None, reads=True))):
        raise PermissionDenied(_metrics_words(actor))
    return HttpResponse(monitoring.exposition(), content_type=CONTENT_TYPE_LATEST)


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler of what nobody caught. A part that is away, met by a middleware, is still a 503."""
    exception = sys.exc_info()[1]
    answer = answer_for(request, exception) if isinstance(exception, Exception) else None
    if answer is not None:
        return answer
    if is_api_path(request.path_info):
        return json_response({"error_code": "INTERNAL_ERROR", "message": "Internal server error."}, 500)
    return HttpResponse(render_to_string("500.html"), status=500)
