"""Every write of this app: experiments, runs and what runs log."""

from apps.experiments.actions.common import Pair, now_ms
from apps.experiments.actions.experiments import (
    DEFAULT_EXPERIMENT_NAME,
    create_experiment,
    default_experiment_id,
)
from apps.experiments.actions.runs import create_run

__all__ = [
    "DEFAULT_EXPERIMENT_NAME",
    "Pair",
    "create_experiment",
    "create_run",
    "default_experiment_id",
    "now_ms",
]
