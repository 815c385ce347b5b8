from __future__ import annotations

import logging

from apps.experiments.actions.common import now_ms
from apps.experiments.artifacts.folders import folder_of_experiment
from apps.experiments.models import Experiment, StorageUsage

logger = logging.getLogger(__name__)


def count_storage() -> int:
    """Count the files of each experiment anew; how many were counted. A store that is away keeps the old numbers."""
    counted = 0
    for experiment in Experiment.objects.order_by("pk").iterator():
        try:
            _count(experiment)
            counted += 1
        except Exception:  # a bucket that can't be reached must not keep the others from being counted
            logger.exception("counting the files of experiment %s", experiment.pk)
    return counted


def _count(experiment: Experiment) -> None:
    files, size = folder_of_experiment(experiment).usage()
    numbers = {"files": files, "bytes": size, "counted_ms": now_ms()}
    StorageUsage.objects.update_or_create(experiment=experiment, defaults=numbers)
