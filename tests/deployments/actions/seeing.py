"""What came of an action: its event, what gateways are told, and how traffic is split."""

from __future__ import annotations

from apps.audit.models import Event
from apps.deployments.actions.common import EPOCH
from apps.deployments.models import Deployment, Route, ServingEpoch


def epoch() -> int:
    """What gateways look at."""
    return ServingEpoch.objects.filter(pk=EPOCH).values_list("number", flat=True).first() or 0


def last_event(deployment: Deployment) -> Event:
    """The newest about it."""
    found = Event.objects.filter(object_kind="deployment", object_id=str(deployment.pk)).order_by("-pk").first()
    assert found is not None
    return found


def split(deployment: Deployment) -> dict[int, int]:
    """Percents by number of revision."""
    rows = Route.objects.filter(deployment=deployment)
    return dict(rows.values_list("revision__number", "weight"))
