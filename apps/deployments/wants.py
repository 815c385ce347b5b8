"""Whether a revision is to run now: the one rule by which supervisors start and end what there is of it."""

from __future__ import annotations

from apps.deployments.models import Deployment, Revision, RevisionState


def is_to_run(deployment: Deployment, revision: Revision, weight: int, now: int) -> bool:
    """With the percent of traffic that goes to it, and the time in milliseconds since the epoch.

    What is wanted runs, and what has traffic; a canary until it is ended; and what lost its traffic, until its rest.
    One that failed does not, before somebody asks for it anew.
    """
    if deployment.is_stopped or revision.state == RevisionState.FAILED:
        return False
    if weight or revision.pk == deployment.wanted_id:
        return True
    return revision.is_canary if revision.rests_ms is None else revision.rests_ms > now
