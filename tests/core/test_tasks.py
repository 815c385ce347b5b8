from __future__ import annotations

import time
from datetime import timedelta

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.utils import timezone
from kombu.exceptions import OperationalError

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


def test_a_task_is_queued_once_until_it_runs(caplog: pytest.LogCaptureFixture) -> None:
    queued: list[bool] = []

    class Task:
        name = "core.some"

        def apply_async(self, retry: bool) -> None:
            queued.append(retry)
            if len(queued) > 1:
                raise OperationalError("the broker is away")

    for _ in range(2):
        tasks.kick(Task(), "core.kicked")
    assert queued == [False]
    cache.delete("core.kicked")
    tasks.kick(Task(), "core.kicked")
    assert "core.some waits for its next sweep: the broker is away" in caplog.text


def test_work_is_done_by_one_at_a_time_who_looks_again_when_kicked() -> None:
    others: list[int] = []

    def work() -> int:
        others.append(tasks.do_alone(lambda: 100, "core.kicked", seconds=5))
        if len(others) == 1:
            cache.add("core.kicked", 1)
        return 1

    assert tasks.do_alone(work, "core.kicked", seconds=5) == 2
    assert others == [0, 0]
    assert tasks.do_alone(lambda: 100, "core.kicked", seconds=5) == 100


def test_who_failed_lets_go() -> None:
    with pytest.raises(ZeroDivisionError):
        tasks.do_alone(lambda: 1 // 0, "core.kicked", seconds=5)
    assert tasks.do_alone(lambda: 1, "core.kicked", seconds=5) == 1


def test_the_heartbeat_says_when() -> None:
    tasks.heartbeat()
    assert time.time() - cache.get(tasks.HEARTBEAT_KEY) < 60


@pytest.mark.django_db
def test_ended_sessions_are_deleted() -> None:
    Session.objects.create(session_key="ended", session_data="", expire_date=timezone.now() - timedelta(days=1))
    Session.objects.create(session_key="open", session_data="", expire_date=timezone.now() + timedelta(days=1))
    tasks.clear_sessions()
    assert list(Session.objects.values_list("pk", flat=True)) == ["open"]
