"""What of a team is exported."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from django.db.models import Q, QuerySet, Sum

from apps.accounts.models import Team
from apps.core.actor import Actor
from apps.core.errors import NotFound
from apps.experiments.models import Experiment, LoggedModel, Param, Run, RunTag, Series
from apps.registry.models import ModelVersion, RegisteredModel


@dataclass(frozen=True, slots=True)
class Chosen:
    """Experiments and models of a team. Of `parts`, by key, only the runs and logged models that versions are of."""

    team: Team
    experiments: Sequence[Experiment]
    models: Sequence[RegisteredModel]
    parts: Collection[int] = ()
    run_keys: Collection[int] = ()
    model_keys: Collection[int] = ()
    # What was asked for, so that a target knows its own again.
    asked: dict[str, list[str]] = field(default_factory=dict)

    def runs(self, experiment: Experiment) -> QuerySet[Run]:
        """By age, the trash included."""
        found = Run.objects.filter(experiment=experiment).order_by("start_ms", "pk")
        return found.filter(pk__in=self.run_keys) if experiment.pk in self.parts else found

    def logged_models(self, experiment: Experiment) -> QuerySet[LoggedModel]:
        """By age, the trash included."""
        found = LoggedModel.objects.filter(experiment=experiment).order_by("created_ms", "pk")
        return found.filter(pk__in=self.model_keys) if experiment.pk in self.parts else found

    def counts(self) -> dict[str, int]:
        """By kind, in the order in which they are told."""
        runs = self._of_all(Q(pk__in=self.run_keys))
        chosen = Run.objects.filter(runs).values("pk")
        models = LoggedModel.objects.filter(self._of_all(Q(pk__in=self.model_keys)))
        return {
            "experiments": len(self.experiments),
            "runs": Run.objects.filter(runs).count(),
            "metric points": Series.objects.filter(run__in=chosen).aggregate(all=Sum("count"))["all"] or 0,
            "params": Param.objects.filter(run__in=chosen).count(),
            "tags": RunTag.objects.filter(run__in=chosen).count(),
            "logged models": models.count(),
            "registered models": len(self.models),
            "model versions": ModelVersion.objects.filter(model__in=self.models).count(),
        }

    def _of_all(self, chosen: Q) -> Q:
        whole = [each.pk for each in self.experiments if each.pk not in self.parts]
        return Q(experiment__in=whole) | Q(experiment__in=list(self.parts)) & chosen


def choose(actor: Actor, team: Team, experiments: Sequence[str] = (), models: Sequence[str] = ()) -> Chosen:
    """All of a team, or what is named: experiments whole; models with the runs and logged models of their versions.

    Raises `NotFound` for a name that there is not.
    """
    asked = {"experiments": sorted(set(experiments)), "models": sorted(set(models))}
    all_experiments = Experiment.objects.visible_to(actor).filter(team=team).order_by("pk")
    all_models = RegisteredModel.objects.visible_to(actor).filter(team=team).order_by("pk")
    if not experiments and not models:
        if not all_experiments and not all_models:
            raise NotFound(f"The team {team.name} has nothing that could be exported.")
        return Chosen(team, list(all_experiments), list(all_models), asked=asked)
    named = list(all_experiments.filter(name__in=experiments))
    found = list(all_models.filter(name__in=models))
    _require("experiment", experiments, [each.name for each in named], team)
    _require("registered model", models, [each.name for each in found], team)
    versions = ModelVersion.objects.filter(model__in=found)
    runs = Run.objects.filter(experiment__team=team, pk__in=versions.values("source_run"))
    logged = LoggedModel.objects.filter(experiment__team=team, pk__in=versions.values("logged_model"))
    around = {*runs.values_list("experiment", flat=True), *logged.values_list("experiment", flat=True)}
    parts = around - {each.pk for each in named}
    return Chosen(
        team,
        sorted([*named, *all_experiments.filter(pk__in=parts)], key=lambda each: each.pk),
        found,
        parts,
        list(runs.values_list("pk", flat=True)),
        list(logged.values_list("pk", flat=True)),
        asked,
    )


def _require(kind: str, asked: Sequence[str], found: Sequence[str], team: Team) -> None:
    if missing := sorted(set(asked) - set(found)):
        raise NotFound(f"The team {team.name} has no {kind} '{missing[0]}'.")
