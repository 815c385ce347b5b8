"""The numbers that MLflow keeps for states, as the protocol's names."""

from __future__ import annotations

from typing import Any

from apps.experiments.models import LoggedModelStatus, RunStatus

RUN_STATUS: dict[Any, RunStatus] = {
    1: RunStatus.RUNNING,
    2: RunStatus.SCHEDULED,
    3: RunStatus.FINISHED,
    4: RunStatus.FAILED,
    5: RunStatus.KILLED,
}
MODEL_STATUS: dict[Any, LoggedModelStatus] = {
    0: LoggedModelStatus.UNSPECIFIED,
    1: LoggedModelStatus.PENDING,
    2: LoggedModelStatus.READY,
    3: LoggedModelStatus.UPLOAD_FAILED,
}
