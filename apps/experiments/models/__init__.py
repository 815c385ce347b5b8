from apps.experiments.models.datasets import Dataset, DatasetInput
from apps.experiments.models.experiments import Experiment, ExperimentTag
from apps.experiments.models.files import DoomedFolder, StorageUsage
from apps.experiments.models.logged_models import (
    LoggedModel,
    LoggedModelMetric,
    LoggedModelParam,
    LoggedModelStatus,
    LoggedModelTag,
    ModelLink,
)
from apps.experiments.models.metrics import Point, Series
from apps.experiments.models.run_creations import RunCreation
from apps.experiments.models.runs import Param, Run, RunStatus, RunTag

__all__ = [
    "Dataset",
    "DatasetInput",
    "DoomedFolder",
    "Experiment",
    "ExperimentTag",
    "LoggedModel",
    "LoggedModelMetric",
    "LoggedModelParam",
    "LoggedModelStatus",
    "LoggedModelTag",
    "ModelLink",
    "Param",
    "Point",
    "Run",
    "RunCreation",
    "RunStatus",
    "RunTag",
    "Series",
    "StorageUsage",
]
