"""What the pages of this app share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from apps.core.errors import NotFound
from apps.core.http import ActorRequest
from apps.core.pages import MENDABLE, PageView


def local_path(request: HttpRequest, wanted: str) -> str:
    """Where to go next: `wanted`, if it is a page of ours."""
    safe = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if safe else "/"


def of_passwords(view: PageView) -> PageView:
    """A page about passwords: it is there where people sign in by them."""

    @wraps(view)
    def shown(request: ActorRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not settings.PASSWORD_SIGN_IN:
            raise NotFound(_("This server takes no passwords."))
        return view(request, *args, **kwargs)

    return shown


@contextmanager
def errors_as_messages(request: ActorRequest) -> Iterator[None]:
    """Show what an action refuses on the page that comes next."""
    try:
        yield
    except MENDABLE as error:
        messages.error(request, error.message)


def settings_page(request: ActorRequest, template: str, status: int = 200, **context: Any) -> HttpResponse:
    """A page under /settings/."""
    return render(request, f"accounts/{template}.html", context, status=status)


def said(request: ActorRequest, text: str, url: str) -> HttpResponse:
    """Go to `url` and say what was done."""
    messages.success(request, text)
    return redirect(url)
