"""The clock: what recurs by our settings, and the schedules that people make, by django-celery-beat.

Its entries lie in the database, so that people's schedules are heard of within seconds, and a restart doesn't begin all
intervals anew. Differently from what it is made of, this clock goes on while the database is away, and forgets entries
that the settings don't have any more.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import Any

from django.db import DatabaseError, InterfaceError, close_old_connections, transaction
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from django_celery_beat.schedulers import DatabaseScheduler, ModelEntry

from slipway.alive import Alive

logger = logging.getLogger(__name__)

_AWAY = (DatabaseError, InterfaceError)
_TRIES, _PAUSE_SECONDS = 30, 2.0
# The entries that belong to rows of ours: `apps.projects.actions.schedules`.
_OF_SCHEDULES = "projects.fire_schedule"


class Entry(ModelEntry):  # type: ignore[misc]
    """What recurs. Only when it ran is written back: somebody may be changing the rest."""

    def save(self) -> None:
        """One statement."""
        ran = {"last_run_at": self.model.last_run_at, "total_run_count": self.model.total_run_count}
        PeriodicTask.objects.filter(pk=self.model.pk).update(**ran)


class Clock(DatabaseScheduler):  # type: ignore[misc]
    """Celery's scheduler for `slipway scheduler` and `slipway worker --beat`."""

    Entry = Entry

    def __init__(self, *args: Any, **more: Any) -> None:
        self._alive = Alive()
        super().__init__(*args, **more)

    def tick(self, *args: Any, **more: Any) -> Any:
        """One round."""
        self._alive.touch()
        return super().tick(*args, **more)

    def setup_schedule(self) -> None:
        """Write the settings' entries into the database, waiting for it where it is away."""
        for again in range(_TRIES, 0, -1):
            try:
                close_old_connections()
                self._write_settings(self.app.conf.beat_schedule)
                return
            except _AWAY as error:
                if again == 1:
                    raise
                logger.warning("the clock waits for the database: %s", error)
                time.sleep(_PAUSE_SECONDS)

    def enabled_models_qs(self) -> Any:
        """All that are on: what django-celery-beat leaves out by the hour of day is guessed, and spares little."""
        return self.Model.objects.enabled()

    def all_as_schedule(self) -> dict[str, Any]:
        """What the database says; while it is away, what it said last."""
        try:
            # Asked first: what changes while we read is read again.
            self._last_timestamp = self.Changes.last_change()
            entries: dict[str, Any] = super().all_as_schedule()
            return entries
        except _AWAY as error:
            logger.warning("the clock goes by what it knew: %s", error)
            return self._schedule or {}

    def schedule_changed(self) -> bool:
        """Whether somebody changed an entry since they were read. While the database is away, nobody did."""
        try:
            close_old_connections()
            return bool(self.Changes.last_change() != self._last_timestamp)
        except _AWAY as error:
            logger.warning("the clock goes by what it knew: %s", error)
            return False

    def _write_settings(self, wanted: Mapping[str, Any]) -> None:
        with transaction.atomic():
            PeriodicTask.objects.exclude(name__in=wanted).exclude(task=_OF_SCHEDULES).delete()
            for name, fields in wanted.items():
                options = dict(fields.get("options", {}))
                # In the database it goes by another name, and what has another name is dropped in silence.
                options["expire_seconds"] = options.pop("expires", None)
                self.Entry.from_entry(name, app=self.app, **{**fields, "options": options})
            # One that never ran is counted from its first start on, not from each.
            PeriodicTask.objects.filter(name__in=wanted, last_run_at=None).update(last_run_at=timezone.now())
