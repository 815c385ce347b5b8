"""Containers of this host whose worker died: whoever lives ends them."""

from __future__ import annotations

import os
from pathlib import Path

from apps.projects.models import HELD, ProjectRun


def end_lost_containers() -> int:
    """End this installation's containers on the engine of this host whose run is held by nobody; how many."""
    if "DOCKER_HOST" not in os.environ and not Path("/var/run/docker.sock").exists():
        return 0
    # Imported here: the SDK takes a while, and most hosts have no engine.
    from apps.runtime.docker import reap, rules_of_site

    return reap(rules_of_site().sites, _still_held)


def _still_held(found: set[tuple[int, int]]) -> set[tuple[int, int]]:
    held = ProjectRun.objects.filter(pk__in={run for run, _ in found}, state__in=HELD)
    return found & set(held.values_list("pk", "fence"))
