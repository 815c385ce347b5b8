from __future__ import annotations

import time
from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.utils import timezone

from apps.core import tasks
from apps.core.actor import Actor, Via
from apps.core.context import current_context
from apps.core.tasks import as_system
from slipway.celery import app


def test_every_scheduled_task_exists() -> None:
    app.loader.import_default_modules()
    scheduled = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert scheduled <= set(app.tasks)


def test_a_task_runs_as_the_system_in_a_context_of_its_own() -> None:
    @as_system
    def task(actor: Actor, word: str) -> tuple[Via, str, str, str]:
        return actor.via, word, current_context().request_id, current_context().request_id

    via, word, first, second = task("hello")
    assert (via, word) == (Via.SYSTEM, "hello")
    assert first == second != ""


def test_the_heartbeat_says_when() -> None:
    tasks.heartbeat()
    assert time.time() - cache.get(tasks.HEARTBEAT_KEY) < 60


@pytest.mark.django_db
def test_ended_sessions_are_deleted() -> None:
    Session.objects.create(session_key="ended", session_data="", expire_date=timezone.now() - timedelta(days=1))
    Session.objects.create(session_key="open", session_data="", expire_date=timezone.now() + timedelta(days=1))
    tasks.clear_sessions()
    assert list(Session.objects.values_list("pk", flat=True)) == ["open"]
