"""What a logged model's page shows, in a constant number of statements."""

from __future__ import annotations

from dataclasses import dataclass

from apps.core.actor import Actor
from apps.experiments.models import LoggedModel, LoggedModelMetric, LoggedModelParam, LoggedModelTag, ModelLink, Run

_MAX_METRICS = 1000


@dataclass(frozen=True, slots=True)
class LoggedModelPage:
    """A logged model with its values; `source` and the users are runs that the actor may read."""

    model: LoggedModel
    params: list[LoggedModelParam]
    tags: list[tuple[str, str]]
    metrics: list[LoggedModelMetric]
    source: Run | None
    used_by: list[Run]

    @property
    def snippet(self) -> str:
        """Lines to paste that load the model."""
        return f'import mlflow\n\nmodel = mlflow.pyfunc.load_model("models:/{self.model.model_id}")'


def logged_model_page(actor: Actor, model: LoggedModel) -> LoggedModelPage:
    """Everything about a logged model that the actor has been authorised for."""
    links = ModelLink.objects.filter(model=model, direction=ModelLink.Direction.INPUT).values("run_id")
    readable = Run.objects.visible_to(actor)
    tags = LoggedModelTag.objects.filter(model=model).order_by("key").values_list("key", "value")
    return LoggedModelPage(
        model=model,
        params=list(LoggedModelParam.objects.filter(model=model).order_by("key")),
        tags=[(key, value) for key, value in tags if not key.startswith("mlflow.")],
        metrics=list(LoggedModelMetric.objects.filter(model=model).order_by("key", "step")[:_MAX_METRICS]),
        source=readable.filter(run_id=model.source_run_id).first() if model.source_run_id else None,
        used_by=list(readable.filter(pk__in=links).order_by("-start_ms")[:50]),
    )
