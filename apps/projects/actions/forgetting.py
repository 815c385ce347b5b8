from __future__ import annotations

from functools import partial

from django.db import transaction

from apps.core.paths import ArtifactPath
from apps.experiments.artifacts.store import own_store
from apps.projects.models import ENDED, Archive, Project, ProjectRun


def forget_remains(team_id: int) -> None:
    """Remove what nobody needs of a team that is about to be deleted; in that transaction. The log of audit keeps it.

    That is runs that ended and whose project and tracking run are gone, and archives of no project and no run. What
    is more than that stays, and holds the team.
    """
    ended = ProjectRun.objects.filter(team_id=team_id, state__in=ENDED)
    ended.filter(project__isnull=True, run__isnull=True).delete()
    needed = Project.objects.filter(team_id=team_id, archive__isnull=False).values("archive")
    used = ProjectRun.objects.filter(team_id=team_id, archive__isnull=False).values("archive")
    loose = Archive.objects.filter(team_id=team_id).exclude(pk__in=needed).exclude(pk__in=used)
    for archive in loose:
        transaction.on_commit(partial(own_store().delete, ArtifactPath.parse(archive.path)), robust=True)
    loose.delete()
