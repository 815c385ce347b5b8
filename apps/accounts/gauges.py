from __future__ import annotations

from apps.accounts.models import Team, User
from apps.core.monitoring import declare_gauge

declare_gauge(
    "slipway_users", "Active people and service accounts.", lambda: User.objects.filter(is_active=True).count()
)
declare_gauge("slipway_teams", "Teams.", lambda: Team.objects.count())
