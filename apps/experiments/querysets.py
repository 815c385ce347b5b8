from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.db import models

from apps.accounts.access import listed, readable
from apps.accounts.models import ObjectKind
from apps.core.actor import Actor

if TYPE_CHECKING:
    from apps.experiments.models import Experiment, LoggedModel, Run


class ExperimentQuerySet(models.QuerySet["Experiment"]):
    def visible_to(self, actor: Actor) -> Self:
        """What the actor may read, in all teams."""
        return self.filter(readable(actor, ObjectKind.EXPERIMENT))

    def listed_for(self, actor: Actor) -> Self:
        """What lists show: the team the request speaks for, and what was granted."""
        return self.filter(listed(actor, ObjectKind.EXPERIMENT))

    def active(self) -> Self:
        """Not in the trash."""
        return self.filter(deleted_ms__isnull=True)


class RunQuerySet(models.QuerySet["Run"]):
    def visible_to(self, actor: Actor) -> Self:
        """Runs of the experiments that the actor may read."""
        return self.filter(readable(actor, ObjectKind.EXPERIMENT, "experiment__"))

    def listed_for(self, actor: Actor) -> Self:
        """What lists show: the team the request speaks for, and what was granted."""
        return self.filter(listed(actor, ObjectKind.EXPERIMENT, "experiment__"))

    def active(self) -> Self:
        """Not in the trash."""
        return self.filter(deleted_ms__isnull=True)


class LoggedModelQuerySet(models.QuerySet["LoggedModel"]):
    def visible_to(self, actor: Actor) -> Self:
        """Logged models of the experiments that the actor may read."""
        return self.filter(readable(actor, ObjectKind.EXPERIMENT, "experiment__"))

    def active(self) -> Self:
        """Not in the trash."""
        return self.filter(deleted_ms__isnull=True)
