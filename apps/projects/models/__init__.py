from apps.projects.models.attempts import Attempt, Outcome
from apps.projects.models.builds import Build
from apps.projects.models.projects import Archive, Project, SourceKind
from apps.projects.models.queues import DEFAULT_QUEUE, Queue, Quota, Worker
from apps.projects.models.runs import ACTIVE, ENDED, HELD, JobKind, LogChunk, ProjectRun, RunState, Trigger
from apps.projects.models.schedules import Missed, Overlap, Schedule
from apps.projects.models.secrets import Secret

__all__ = [
    "ACTIVE",
    "DEFAULT_QUEUE",
    "ENDED",
    "HELD",
    "Archive",
    "Attempt",
    "Build",
    "JobKind",
    "LogChunk",
    "Missed",
    "Outcome",
    "Overlap",
    "Project",
    "ProjectRun",
    "Queue",
    "Quota",
    "RunState",
    "Schedule",
    "Secret",
    "SourceKind",
    "Trigger",
    "Worker",
]
