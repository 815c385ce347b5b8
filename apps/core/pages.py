"""What views of pages share: verbs, dialogs, and where to go when a form is done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

from django.forms import BaseForm
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django_htmx.http import HttpResponseClientRedirect

from apps.core.errors import AlreadyExists, BadRequest, Conflict, InvalidInput, MethodNotAllowed, NotFound
from apps.core.http import ActorRequest, is_fragment

PageView = Callable[..., HttpResponseBase]
REFUSED = 422
# What somebody who fills a form can mend; other errors are pages of their own.
MENDABLE = (AlreadyExists, BadRequest, Conflict, InvalidInput, NotFound)


def methods(*allowed: str) -> Callable[[PageView], PageView]:
    """Answer other verbs with the designed 405. GET brings HEAD with it."""
    taken = {*allowed, *(("HEAD",) if "GET" in allowed else ())}

    def decorate(view: PageView) -> PageView:
        @wraps(view)
        def checked(request: ActorRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.method not in taken:
                names = ", ".join(sorted(taken))
                raise MethodNotAllowed(f"This page takes {names}.", headers={"Allow": names})
            return view(request, *args, **kwargs)

        return checked

    return decorate


def dialog(
    request: ActorRequest, form: BaseForm | None, *, title: str, submit: str = "", back: str = "/", **more: Any
) -> HttpResponse:
    """A form for the shared dialog, or as a page (whose "Cancel" leads `back`) for those without scripts.

    422 where the form was refused. Without `submit` there is nothing to send: the dialog only says so.
    """
    template = "components/dialog_form.html" if is_fragment(request) else "components/dialog_page.html"
    context = {"form": form, "title": title, "submit": submit, "action": request.path, "back": back, **more}
    refused = form is not None and form.is_bound and bool(form.errors)
    return render(request, template, context, status=REFUSED if refused else 200)


@contextmanager
def errors_in(form: BaseForm, field: str | None = None) -> Iterator[None]:
    """Show what an action refuses beside the field it is about, or above the form."""
    try:
        yield
    except MENDABLE as error:
        form.add_error(field, error.message)


def done(request: ActorRequest, url: str) -> HttpResponse:
    """Go to `url`: htmx is told to, others are redirected."""
    return HttpResponseClientRedirect(url) if is_fragment(request) else redirect(url)
