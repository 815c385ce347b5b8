from __future__ import annotations

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render

from apps.core.http import ActorRequest
from apps.core.pages import methods
from apps.core.rules import signed_in
from apps.experiments.selectors import overview

_EXPERIMENTS_SHOWN = 6
_RUNS_SHOWN = 12


@signed_in
@methods("GET")
def home(request: ActorRequest) -> HttpResponse:
    """The newest of the team; before its first run, what to paste."""
    runs = overview.recent_runs(request.actor, _RUNS_SHOWN)
    experiments = overview.experiments_matching(request.actor, sort="-last")[:_EXPERIMENTS_SHOWN] if runs else []
    context = {"runs": runs, "rows": overview.rows_of(experiments) if runs else [], **quickstart(request)}
    return render(request, "experiments/home.html", context)


def quickstart(request: ActorRequest, experiment_name: str = "first-steps") -> dict[str, str]:
    """What the empty pages give to paste, for `experiments/_quickstart.html`."""
    url = settings.PUBLIC_URL or request.build_absolute_uri("/").rstrip("/")
    return {
        "setup_code": f"pip install mlflow\nexport MLFLOW_TRACKING_URI={url}",
        "token_code": "export MLFLOW_TRACKING_TOKEN=slw_…",
        "run_code": _SCRIPT.format(name=experiment_name.replace("\\", "\\\\").replace('"', '\\"')),
    }


_SCRIPT = """\
import mlflow

mlflow.set_experiment("{name}")
with mlflow.start_run():
    mlflow.log_param("learning_rate", 0.1)
    for step in range(20):
        mlflow.log_metric("loss", 1 / (step + 1), step=step)"""
