"""How long runs may take, their preparation and themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from apps.runtime.environments.building import BUILD_SECONDS
from apps.runtime.limits import GIT_SECONDS

# Fetching and building come before the time that the run itself may take: uv or conda, then two lists of packages.
PREPARING_SECONDS = GIT_SECONDS + 3 * BUILD_SECONDS


def seconds_of(limits: Mapping[str, Any]) -> int:
    """How long a run with these limits, as they are kept, may go on: as asked, at most what the operator allows."""
    most: int = settings.PROJECT_TIME_LIMIT
    asked = limits.get("seconds")
    return most if asked is None else min(int(asked), most)
