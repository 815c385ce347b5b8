"""Default deny, proved: every view has a rule, and every route of the protocol a scope on purpose."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from apps.core.rules import Rule, rule_of
from slipway.urls import PROTOCOL

# What anybody may call without signing in: nothing else may be open.
OPEN = {
    "health",
    "health/live",
    "health/ready",
    "version",
    "login/",
    "login/forgotten/",
    "login/oidc/",
    "login/oidc/callback/",
    "login/link/<str:text>/",
    "logout/",
    "admin/login/",
    "admin/logout/",
}


def walk(entries: list[URLPattern | URLResolver], before: str = "") -> Iterator[tuple[str, URLPattern]]:
    for entry in entries:
        path = before + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from walk(entry.url_patterns, path)
        else:
            yield path, entry


# The first of a path is the one that is served.
VIEWS = dict(reversed(list(walk(get_resolver().url_patterns))))


@pytest.mark.parametrize("path", sorted(VIEWS))
def test_every_view_has_a_rule(path: str) -> None:
    assert rule_of(VIEWS[path].callback) is not None, f"{path}: declare who may call it (apps.core.rules)"


def test_only_these_are_open() -> None:
    assert {path for path, entry in VIEWS.items() if rule_of(entry.callback) is Rule.OPEN} == OPEN


def test_django_admin_is_for_administrators() -> None:
    ours = {*OPEN, "admin/password_change/"}
    below = {path: rule_of(entry.callback) for path, entry in VIEWS.items() if path.startswith("admin/")}
    assert len(below) > 20
    assert {rule for path, rule in below.items() if path not in ours} == {Rule.ADMIN}


def test_unused_pages_of_libraries_are_not_routed() -> None:
    names = {entry.name for entry in VIEWS.values()}
    assert not names & {"account_signup", "account_email", "account_set_password", "account_confirm_email"}


def test_reading_routes_are_read_by_get_or_search() -> None:
    """A route that says it only reads is not a PATCH, PUT or DELETE: a token of scope `read` reaches it."""
    wrong = [r.path for r in PROTOCOL.routes if r.endpoint.reads and r.method not in {"GET", "POST"}]
    assert wrong == []
