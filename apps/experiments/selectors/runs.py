"""What a run's page shows, in a constant number of statements."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import orjson
from django.db.models import Q

from apps.core.actor import Actor, Level
from apps.experiments import access
from apps.experiments.models import DatasetInput, ModelLink, Param, Run, RunTag, Series
from apps.experiments.selectors.overview import NOTE_TAG

# Tags that the page shows elsewhere, or that only programs read.
_RESERVED = "mlflow."
_MAX_CHILDREN = 100


@dataclass(frozen=True, slots=True)
class Family:
    """The nested runs around one: its parent, itself and its children, as far as the actor may read them."""

    parent: Run | None
    children: list[Run]
    more_children: bool


@dataclass
class RunPage:
    """A run with all that its page needs; lists are in order of key."""

    run: Run
    level: Level
    params: list[Param]
    all_tags: dict[str, str]
    series: list[Series]
    dataset_inputs: list[DatasetInput]
    links: list[ModelLink]
    family: Family

    @property
    def may_edit(self) -> bool:
        return self.level >= Level.EDIT

    @property
    def may_manage(self) -> bool:
        return self.level >= Level.MANAGE

    @property
    def artifact_uri(self) -> str:
        """The run's folder, as the protocol writes it."""
        return f"{self.run.experiment.artifact_root}/{self.run.run_id}/artifacts"

    @property
    def snippet(self) -> str:
        """Lines to paste that load the run, or the model that it logged."""
        lines = ["import mlflow", "", f'run = mlflow.get_run("{self.run.run_id}")']
        outputs = [link.model for link in self.links if link.direction == ModelLink.Direction.OUTPUT]
        if outputs:
            lines.append(f'model = mlflow.pyfunc.load_model("models:/{outputs[0].model_id}")')
        elif self.series:
            key = self.series[0].key.replace("\\", "\\\\").replace('"', '\\"')
            lines.append(f'history = mlflow.MlflowClient().get_metric_history(run.info.run_id, "{key}")')
        return "\n".join(lines)

    @property
    def note(self) -> str:
        """The Markdown that people wrote about the run."""
        return self.all_tags.get(NOTE_TAG, "")

    @property
    def tags(self) -> list[tuple[str, str]]:
        """Labels that people and scripts gave; not those that the client keeps for itself."""
        return [(key, value) for key, value in self.all_tags.items() if not key.startswith(_RESERVED)]

    @cached_property
    def source(self) -> dict[str, str]:
        """Where the run came from: name, kind, commit, repository, branch, entry point; only what is known."""
        tag = self.all_tags.get
        found = {
            "name": tag("mlflow.source.name"),
            "kind": tag("mlflow.source.type"),
            "commit": tag("mlflow.source.git.commit"),
            "repository": tag("mlflow.source.git.repoURL") or tag("mlflow.gitRepoURL"),
            "branch": tag("mlflow.source.git.branch") or tag("mlflow.gitBranch"),
            "entry_point": tag("mlflow.project.entryPoint"),
        }
        return {name: value for name, value in found.items() if value}

    @property
    def metric_groups(self) -> list[tuple[str, list[Series]]]:
        """Series by what comes before the first slash of their keys; those without one first."""
        return grouped(self.series)


def run_page(actor: Actor, run: Run) -> RunPage:
    """Everything about a run that the actor has been authorised for."""
    return RunPage(
        run=run,
        level=access.level_of_run(actor, run),
        params=params_of(run),
        all_tags=tags_of(run),
        series=series_of(run),
        dataset_inputs=list(DatasetInput.objects.filter(run=run).select_related("dataset").order_by("pk")),
        links=list(ModelLink.objects.filter(run=run).select_related("model").order_by("direction", "step", "pk")),
        family=_family(actor, run),
    )


def params_of(run: Run) -> list[Param]:
    return list(Param.objects.filter(run=run).order_by("key"))


def tags_of(run: Run) -> dict[str, str]:
    return dict(RunTag.objects.filter(run=run).order_by("key").values_list("key", "value"))


def series_of(run: Run) -> list[Series]:
    return list(Series.objects.filter(run=run).order_by("key"))


def grouped(series: Iterable[Series]) -> list[tuple[str, list[Series]]]:
    """Series by the prefix of their keys (`train/loss` is in `train`); the empty prefix first, `system` last."""
    groups: dict[str, list[Series]] = {}
    for one in series:
        prefix, slash, _ = one.key.partition("/")
        groups.setdefault(prefix if slash else "", []).append(one)
    return sorted(groups.items(), key=lambda group: (group[0] == "system", group[0]))


def dataset_columns(schema: str | None) -> list[tuple[str, str]]:
    """Names and types of the columns that a client described; empty where it said something else."""
    described = _as_json(schema)
    columns = described.get("mlflow_colspec") if isinstance(described, dict) else None
    if not isinstance(columns, list):
        return []
    return [(str(c.get("name", "")), str(c.get("type", ""))) for c in columns if isinstance(c, dict)]


def dataset_profile(profile: str | None) -> list[tuple[str, str]]:
    """The facts of a profile (rows, elements) as pairs of text."""
    described = _as_json(profile)
    return [(str(key), str(value)) for key, value in described.items()] if isinstance(described, dict) else []


def _as_json(text: str | None) -> Any:
    try:
        return orjson.loads(text or "null")
    except orjson.JSONDecodeError:
        return None


def _family(actor: Actor, run: Run) -> Family:
    around = Q(parent_run_id=run.run_id)
    if run.parent_run_id:
        around |= Q(run_id=run.parent_run_id)
    readable = Run.objects.visible_to(actor).active().filter(around)
    found = list(readable.order_by("start_ms", "pk")[: _MAX_CHILDREN + 2])
    parent = next((one for one in found if one.run_id == run.parent_run_id), None)
    children = [one for one in found if one.parent_run_id == run.run_id and one.pk != run.pk]
    return Family(parent, children[:_MAX_CHILDREN], len(children) > _MAX_CHILDREN)
