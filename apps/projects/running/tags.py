from __future__ import annotations

from apps.projects.reading.sources import GitState


def git_tags(git: GitState) -> dict[str, str]:
    """The tags that the protocol's own tools write of a work tree; none where there is no commit."""
    if not git.commit:
        return {}
    tags = {"mlflow.source.git.commit": git.commit}
    if git.repo_url:
        tags["mlflow.source.git.repoURL"] = git.repo_url
    if git.branch:
        tags["mlflow.source.git.branch"] = git.branch
    if git.is_dirty:
        tags["mlflow.source.git.dirty"] = "true"
    return tags
