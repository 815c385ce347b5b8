"""How project runs are shown: their states, and where things are."""

from __future__ import annotations

from django import template
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from apps.core import formatting
from apps.core.templatetags.ui import pill
from apps.projects import addresses
from apps.projects.actions.common import now_ms
from apps.projects.models import Project, ProjectRun, RunState

register = template.Library()

_TONES = {
    RunState.QUEUED: "",
    RunState.PREPARING: "live",
    RunState.RUNNING: "live",
    RunState.FINISHED: "ok",
    RunState.FAILED: "bad",
    RunState.CANCELLED: "warn",
    RunState.LOST: "bad",
}


@register.simple_tag
def run_state(run: ProjectRun) -> SafeString:
    """The state as a pill; one that is being cancelled says so."""
    state = RunState(run.state)
    if run.is_active and run.cancel_ms is not None:
        return pill(state, label=_("Cancelling"), tone="warn")
    return pill(state, label=state_name(state), tone=_TONES[state])


@register.simple_tag
def run_duration(run: ProjectRun) -> str:
    """How long its code has run: until it ended, else until now; empty before it began."""
    if run.started_ms is None or (run.ended_ms is None and not run.is_held):
        return ""
    return formatting.duration((run.ended_ms or now_ms()) - run.started_ms)


@register.filter
def state_name(state: str) -> str:
    """A state as people call it."""
    names = {
        RunState.QUEUED: _("Queued"),
        RunState.PREPARING: _("Preparing"),
        RunState.RUNNING: _("Running"),
        RunState.FINISHED: _("Finished"),
        RunState.FAILED: _("Failed"),
        RunState.CANCELLED: _("Cancelled"),
        RunState.LOST: _("Lost"),
    }
    return names.get(RunState(state), state) if state in RunState.values else state


@register.filter
def project_url(project: Project) -> str:
    """The page of a project that was fetched with its team."""
    return addresses.project_url(project)


@register.filter
def run_url(run: ProjectRun) -> str:
    """The page of a project run."""
    return addresses.run_url(run)


@register.filter
def source_words(project: Project) -> str:
    """Where a project's files are, in short."""
    if project.archive is not None:
        return project.archive.name or project.archive.digest[:12]
    return project.source_uri + (f"#{project.subfolder}" if project.subfolder else "")
