"""What jobs outside (CI) report of versions. The last word of each reporter counts; gates name whose word they want."""

from __future__ import annotations

import unicodedata
from urllib.parse import urlsplit

from django.db import transaction

from apps.audit.actions import record
from apps.core.actor import Actor
from apps.core.errors import Conflict, InvalidInput, PermissionDenied
from apps.experiments import limits
from apps.registry import events, facts
from apps.registry.actions.common import now_ms
from apps.registry.models import Check, CheckState, ModelVersion
from apps.registry.subjects import version_subject

MAX_NAME = 100
MAX_TEXT = 1000
MAX_URL = 2000
MOST_CHECKS = 100


def report_check(
    actor: Actor, *, version: ModelVersion, name: str, state: CheckState, text: str = "", url: str = ""
) -> Check:
    """Say how a check went, in place of what the same account said of it before.

    Raises `InvalidInput`, `PermissionDenied` for the server itself, `Conflict` for too many checks of one version.
    """
    if actor.user_id is None:
        raise PermissionDenied("Permission denied: a check is reported by an account.")
    _check(name, text, url)
    now = now_ms()
    with transaction.atomic():
        _require_room(actor.user_id, version, name)
        said = {"state": state, "text": text, "url": url, "updated_ms": now, "reporter_name": actor.username}
        check, _made = Check.objects.update_or_create(
            version=version,
            name=name,
            reporter_id=actor.user_id,
            defaults=said,
            create_defaults={**said, "created_ms": now},
        )
        after = {"name": name, "state": state.value, "text": text, "url": url}
        record(actor, events.CHECK_REPORTED, version_subject(version), after=after, note=name)
        facts.touch([version.pk])
    return check


def _check(name: str, text: str, url: str) -> None:
    if not name or name != name.strip() or any(unicodedata.category(each)[0] == "C" for each in name):
        raise InvalidInput("'name' has to be a text without control characters and without spaces at its ends.")
    limits.check_length("name", name, MAX_NAME)
    limits.check_length("text", text, MAX_TEXT)
    limits.check_length("url", url, MAX_URL)
    if "\0" in text or not _is_web_address(url):
        raise InvalidInput("'text' has to be a text, and 'url' an address that begins with https:// or http://.")


def _is_web_address(url: str) -> bool:
    """Readers are offered it as a link."""
    if not url:
        return True
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    plain = url.isprintable() and " " not in url
    return plain and parts.scheme in ("http", "https") and bool(parts.hostname)


def _require_room(reporter: int, version: ModelVersion, name: str) -> None:
    """Of each reporter: nobody fills a version with checks so that there is no room for the one that a gate wants."""
    said = Check.objects.filter(version=version, reporter=reporter).exclude(name=name)
    if said.count() >= MOST_CHECKS:
        raise Conflict(f"You reported {MOST_CHECKS} checks of {version} already.")
