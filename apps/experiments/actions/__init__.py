"""Every write of this app: experiments, runs and what runs log."""

from apps.experiments.actions.adoption import adopt_experiment, adopt_logged_models, adopt_runs, mend_runs
from apps.experiments.actions.common import Pair, now_ms
from apps.experiments.actions.datasets import UsedDataset, log_inputs, log_outputs, record_model
from apps.experiments.actions.experiments import (
    DEFAULT_EXPERIMENT_NAME,
    create_experiment,
    default_experiment_id,
    delete_experiment,
    delete_experiment_tag,
    remove_unused_default,
    rename_experiment,
    restore_experiment,
    set_experiment_tag,
)
from apps.experiments.actions.logged_data import delete_tag, log_batch, log_metric, log_param, set_tag
from apps.experiments.actions.logged_models import (
    create_logged_model,
    delete_logged_model,
    delete_logged_model_tag,
    finalize_logged_model,
    log_logged_model_params,
    set_logged_model_tags,
)
from apps.experiments.actions.model_metrics import ModelValue
from apps.experiments.actions.runs import create_run, delete_run, restore_run, settle_run, update_run
from apps.experiments.actions.storage import count_storage
from apps.experiments.actions.trash import Outcome, Wanted, empty_trash
from apps.experiments.ingest import Value

__all__ = [
    "DEFAULT_EXPERIMENT_NAME",
    "ModelValue",
    "Outcome",
    "Pair",
    "UsedDataset",
    "Value",
    "Wanted",
    "adopt_experiment",
    "adopt_logged_models",
    "adopt_runs",
    "count_storage",
    "create_experiment",
    "create_logged_model",
    "create_run",
    "default_experiment_id",
    "delete_experiment",
    "delete_experiment_tag",
    "delete_logged_model",
    "delete_logged_model_tag",
    "delete_run",
    "delete_tag",
    "empty_trash",
    "finalize_logged_model",
    "log_batch",
    "log_inputs",
    "log_logged_model_params",
    "log_metric",
    "log_outputs",
    "log_param",
    "mend_runs",
    "now_ms",
    "record_model",
    "remove_unused_default",
    "rename_experiment",
    "restore_experiment",
    "restore_run",
    "set_experiment_tag",
    "set_logged_model_tags",
    "set_tag",
    "settle_run",
    "update_run",
]
