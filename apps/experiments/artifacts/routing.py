"""What each route that carries files has: a rule, its methods, and the scopes of tokens that reach it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.http.response import HttpResponseBase

from apps.core.actor import Actor, Scope
from apps.core.errors import MethodNotAllowed, PermissionDenied
from apps.core.http import ActorRequest
from apps.core.rules import NOT_FOR_RUNS, scope_words, signed_in

_READS = ("GET", "HEAD")

P = ParamSpec("P")
View = Callable[Concatenate[ActorRequest, P], HttpResponseBase]


def route(*methods: str, also: Scope | None = None, by_runs: bool = False) -> Callable[[View[P]], View[P]]:
    """A view for these methods, behind the gate, that a token with the scope `tracking` reaches.

    For reading, tokens with the scope `also` reach it too; the view then sees to what they may read. `by_runs`:
    project runs reach it with theirs, but for deleting.
    """

    def declare(view: View[P]) -> View[P]:
        @wraps(view)
        def checked(request: ActorRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if request.method not in methods:
                allowed = ", ".join(methods)
                raise MethodNotAllowed(f"Allowed here: {allowed}.", headers={"Allow": allowed})
            _check_scope(request.actor, request.method, also)
            request.route_name = view.__name__  # type: ignore[attr-defined]
            return view(request, *args, **kwargs)

        checked.by_runs = by_runs  # type: ignore[attr-defined]
        return signed_in(checked)

    return declare


def _check_scope(actor: Actor, method: str, also: Scope | None) -> None:
    if actor.confined is not None and method == "DELETE":
        raise PermissionDenied(NOT_FOR_RUNS)
    reads = method in _READS
    reached = actor.may_use(Scope.TRACKING, reads=reads, by_runs=True)
    if reached or (reads and also and actor.may_use(also, reads=True)):
        return
    raise PermissionDenied(scope_words(actor, Scope.TRACKING, also if reads else None, reads=reads))
