"""Sets the times of what a step of a story stored back, so that the history of a demo model spans weeks.

What the audit log says stays as it is: that this was made now.
"""

from __future__ import annotations

from django.db.models import F, Q

from apps.experiments.actions import now_ms
from apps.registry.models import Comment, Decision, ModelVersion, Placement, PromotionRequest, RegisteredModel

_HOUR_MS = 3_600_000


def hours_ago(hours: float) -> int:
    """A moment, in milliseconds since the epoch."""
    return now_ms() - int(hours * _HOUR_MS)


def set_back(model: RegisteredModel, since: int, to: int) -> None:
    """What was stored about the model from the moment `since` on happened at the moment `to`."""
    of_versions = Q(version__model=model)
    for rows, columns in (
        (RegisteredModel.objects.filter(pk=model.pk), ("created_ms", "updated_ms")),
        (ModelVersion.objects.filter(model=model), ("created_ms", "updated_ms")),
        (Placement.objects.filter(model=model), ("from_ms", "until_ms")),
        (PromotionRequest.objects.filter(of_versions), ("created_ms", "closed_ms")),
        (Comment.objects.filter(of_versions), ("created_ms", "updated_ms")),
        (Decision.objects.filter(request__version__model=model), ("created_ms",)),
    ):
        for column in columns:
            rows.filter(**{f"{column}__gte": since}).update(**{column: to})
    expiring = PromotionRequest.objects.filter(of_versions, expires_ms__gte=since, created_ms=to)
    expiring.update(expires_ms=F("expires_ms") - (since - to))
