"""The outermost layers: the request's context, the headers of every answer, hosts, and errors as answers."""

from __future__ import annotations

import ipaddress
import re
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.template.loader import render_to_string

from apps.core import logs, monitoring, tracing
from apps.core.context import RequestContext, entered, new_request_id
from apps.core.errors import BadRequest, DomainError, NotFound, NotSignedIn, TooLarge, Unavailable
from apps.core.faults import fault_of
from apps.core.http import error_response, is_api_path

GetResponse = Callable[[HttpRequest], HttpResponse]

CONTENT_SECURITY_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "connect-src 'self'; frame-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


class RequestContextMiddleware:
    """Enters the request's context, puts the headers that every answer has, and turns errors into answers."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else new_request_id()
        started = time.perf_counter()
        with entered(RequestContext(request_id=request_id, ip=_client_address(request))):
            response = self._traced(request, request_id) if tracing.is_on() else self.get_response(request)
            seconds = time.perf_counter() - started
            if settings.ACCESS_LOG:
                logs.note_access(request, response.status_code, seconds)
        monitoring.observe(request, response.status_code, seconds)
        response["X-Request-ID"] = request_id
        response.setdefault("X-Content-Type-Options", "nosniff")
        response.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        response.setdefault("Referrer-Policy", "same-origin")
        return response

    def _traced(self, request: HttpRequest, request_id: str) -> HttpResponse:
        said = {"slipway.request_id": request_id}
        with tracing.of_call(request.method or "", tracing.carrier_of(request), said) as end:
            response = self.get_response(request)
            end(monitoring.route_of(request), response.status_code)
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Django calls this for errors of views; the gate calls it for the views that it runs itself."""
        return answer_for(request, exception)


def answer_for(request: HttpRequest, exception: Exception) -> HttpResponse | None:
    """The answer for an error, in the shape of the edge it met; None for bugs, which Django logs and answers."""
    error = as_domain_error(exception)
    if error is None:
        return None
    if is_api_path(request.path_info):
        return error_response(error)
    if isinstance(error, NotSignedIn):
        return _to_sign_in(request)
    # The frame of a page asks the database, which may be what is away.
    frame = None if isinstance(error, Unavailable) else request
    response = HttpResponse(render_to_string("errors/error.html", {"error": error}, frame), status=error.status)
    for name, value in error.headers.items():
        response[name] = value
    return response


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    """A page is redirected; when htmx asks for a part of one, the whole page goes, and comes back to where it was."""
    from django.contrib.auth.views import redirect_to_login

    if request.headers.get("HX-Request") != "true":
        return redirect_to_login(request.get_full_path())
    try:
        shown = urlsplit(request.headers.get("HX-Current-URL", ""))
    except ValueError:
        shown = urlsplit("/")
    page = f"/{shown.path.lstrip('/')}" + (f"?{shown.query}" if shown.query else "")
    return HttpResponse(status=401, headers={"HX-Redirect": redirect_to_login(page)["Location"]})


def as_domain_error(exception: Exception) -> DomainError | None:
    """Our own errors as they are, and those of the parts we stand on in our words."""
    from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
    from django.http import Http404

    from apps.core.errors import PermissionDenied

    match exception:
        case DomainError():
            return exception
        case Http404():
            return NotFound("Not found.")
        case DjangoPermissionDenied():
            return PermissionDenied("Permission denied.")
        case RequestDataTooBig():
            return TooLarge("The body is over the limit of this route.")
        case SuspiciousOperation():
            return BadRequest("The request can't be read.")
        case UnreadablePostError():
            return BadRequest("The body ended before it was complete.")
        case _:
            return fault_of(exception)


class HostMiddleware:
    """Answers to addresses, localhost, this machine's name and the public host; refuses others (DNS rebinding)."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        host = request.META.get("HTTP_HOST") or request.META.get("SERVER_NAME", "")
        if not is_answered_host(host):
            message = "This server is not set up for this host name: set SLIPWAY_PUBLIC_URL to the URL people use."
            return error_response(BadRequest(message))
        return self.get_response(request)


def is_answered_host(host: str) -> bool:
    """Whether a `Host` header names us; by address alone on any machine, by loopback alone without a login."""
    match = re.fullmatch(r"\[(?P<v6>[0-9a-fA-F:.]+)\](?::\d+)?|(?P<name>[A-Za-z0-9._-]+)(?::\d+)?", host)
    if match is None:
        return False
    name = (match["v6"] or match["name"]).lower().rstrip(".")
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return name == "localhost" if settings.NO_LOGIN else name in settings.ANSWERED_HOSTS
    return address.is_loopback if settings.NO_LOGIN else True


def is_loopback(address: str) -> bool:
    """Whether an IP address is this machine, however it is written."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return (mapped or parsed).is_loopback


def _client_address(request: HttpRequest) -> str | None:
    address = request.META.get("REMOTE_ADDR", "")
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        return None
