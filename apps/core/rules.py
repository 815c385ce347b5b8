"""Default deny: every view carries a rule, or it is not served. The rule is checked before the view runs.

A rule says who may call at all; what they may do with an object is decided where it is fetched (`access.py`). The
token of a project run gets no further than to views that are marked `by_runs`, whatever their rule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import Enum
from functools import partial, update_wrapper
from typing import Any, TypeVar

from django.urls import URLPattern, URLResolver

from apps.core.actor import Actor, Scope
from apps.core.errors import NotSignedIn, PermissionDenied

NOT_FOR_RUNS = "Permission denied: the token of a project run does not reach this route."


View = TypeVar("View", bound=Callable[..., Any])


class Rule(Enum):
    """Who may call a view."""

    OPEN = "anybody"
    SIGNED_IN = "anybody signed in"
    ADMIN = "administrators of the site"


def scope_words(actor: Actor, *wanted: Scope | None, reads: bool = False) -> str:
    """What to say where a token's scopes don't reach something: which it has, and which of them would."""
    if actor.confined is not None:
        return NOT_FOR_RUNS
    reaching = [str(scope) for scope in wanted if scope is not None]
    reaching += [str(Scope.READ)] if reads else []
    had = ", ".join(sorted(actor.scopes)) or "none"
    said = f"it has {had}, and {' or '.join([*reaching, str(Scope.ALL)])} is wanted"
    return f"Permission denied: the scope of this token does not reach this route: {said}."


def open_to_all(view: View) -> View:
    """No login: sign-in itself, health, version."""
    return _with_rule(view, Rule.OPEN)


def signed_in(view: View) -> View:
    """Any authenticated actor; objects are authorised where they are fetched."""
    return _with_rule(view, Rule.SIGNED_IN)


def admins_only(view: View) -> View:
    """Administrators of the site."""
    return _with_rule(view, Rule.ADMIN)


def guard(patterns: Iterable[URLPattern | URLResolver], rule: Rule) -> list[URLPattern | URLResolver]:
    """The URL patterns of a library, each of its views under one rule."""
    guarded = list(patterns)
    for entry in guarded:
        if isinstance(entry, URLResolver):
            guard(entry.url_patterns, rule)
        else:
            # A partial: a bound method takes no attributes, and a view may be routed twice under two rules.
            entry.callback = _with_rule(update_wrapper(partial(entry.callback), entry.callback), rule)
    return guarded


def rule_of(view: Callable[..., Any]) -> Rule | None:
    """The rule of a view, of the class behind it (DRF), or None: not to be served."""
    rule = getattr(view, "rule", None) or getattr(getattr(view, "cls", None), "rule", None)
    return rule if isinstance(rule, Rule) else None


def is_for_runs(view: Callable[..., Any]) -> bool:
    """Whether a view, or the class behind it (DRF), says that it answers the tokens of project runs."""
    return bool(getattr(view, "by_runs", False) or getattr(getattr(view, "cls", None), "by_runs", False))


def enforce(view: Callable[..., Any], actor: Actor | None) -> None:
    """Raise unless `actor` may call `view`."""
    rule = rule_of(view)
    if rule is Rule.OPEN:
        return
    if actor is None:
        raise NotSignedIn
    if rule is None:
        raise PermissionDenied("Permission denied: this route has no rule.")
    if actor.confined is not None and not is_for_runs(view):
        raise PermissionDenied(NOT_FOR_RUNS)
    if rule is Rule.ADMIN and not actor.is_admin:
        raise PermissionDenied("Permission denied: this is for administrators.")


def _with_rule(view: View, rule: Rule) -> View:
    view.rule = rule  # type: ignore[attr-defined]
    return view
