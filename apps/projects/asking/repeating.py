"""What a run was asked for, to ask for it again."""

from __future__ import annotations

from apps.projects.asking.submission import Submission
from apps.projects.models import ProjectRun
from apps.runtime.limits import Limits


def submission_of(run: ProjectRun) -> Submission:
    """What a run was asked for, project's defaults included; of a repository the commit that it ran."""
    return Submission(
        entry_point=run.entry_point,
        params=dict(run.params),
        env_vars=dict(run.env_vars),
        secrets=list(run.secrets),
        docker_args=dict(run.docker_args),
        queue=run.queue,
        priority=run.priority,
        limits=Limits.from_json(run.limits),
        gpus=run.gpus,
        retries=run.retries,
        retries_failures=run.retries_failures,
        backoff_s=run.backoff_s,
        source_version=run.commit or run.source_version,
    )
