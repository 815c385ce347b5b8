"""The log of a run, as text, and in the parts that its page asks for."""

from __future__ import annotations

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header

from apps.core.http import ActorRequest, json_response
from apps.core.keys import parse_key
from apps.core.pages import methods
from apps.core.rules import signed_in
from apps.projects import access
from apps.projects.models import ProjectRun
from apps.projects.selectors.log_news import Seen, news_of, part_of
from apps.projects.selectors.logs import read_log_before, stream_log


@signed_in
@methods("GET")
def run_log(request: ActorRequest, run_id: int) -> HttpResponseBase:
    """The whole log; with `?download=1` as a file.

    For scripts of the page as JSON: `?offset=`, what its live socket would say to who has the log up to there;
    `?before=`, what comes before a byte.
    """
    run = access.get_project_run(request.actor, run_id)
    if "offset" in request.GET:
        return _json(news_of(run, Seen(have=parse_key(request.GET["offset"]) or 0)))
    if "before" in request.GET:
        return _json({"log": part_of(read_log_before(run, parse_key(request.GET["before"]) or 0))})
    return _text(run, is_file=request.GET.get("download") == "1")


def _json(data: object) -> HttpResponse:
    return json_response(data, headers={"Cache-Control": "no-store"})


def _text(run: ProjectRun, *, is_file: bool) -> HttpResponseBase:
    response = StreamingHttpResponse(stream_log(run), content_type="text/plain; charset=utf-8")
    disposition = content_disposition_header(is_file, f"{run.project_name}-{run.pk}.log")
    response["Content-Disposition"] = disposition or "inline"
    response["Cache-Control"] = "private, no-cache"
    return response
