"""What the home page and the list of experiments show: experiments with their counts, notes and last runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db.models import Count, F, IntegerField, Max, OuterRef, QuerySet, Subquery, Window
from django.db.models.functions import Coalesce, RowNumber

from apps.core.actor import Actor
from apps.experiments.models import Experiment, ExperimentTag, Run

NOTE_TAG = "mlflow.note.content"
_OWN_TAGS = "mlflow."
SORTS = {
    "name": "name",
    "created": "created_ms",
    "runs": "active_runs",
    "last": "last_start_ms",
    "owner": "owner__username",
}


@dataclass
class ExperimentRow:
    """An experiment as lists show it. `tags` are people's own; `note` is Markdown."""

    experiment: Experiment
    runs: int = 0
    running: int = 0
    last_ms: int | None = None
    note: str = ""
    tags: list[tuple[str, str]] = field(default_factory=list)


def experiments_matching(actor: Actor, *, text: str = "", sort: str = "-last") -> QuerySet[Experiment]:
    """Active experiments of the actor's lists whose name contains `text`, in the order of `sort` (a key of SORTS)."""
    found = Experiment.objects.listed_for(actor).active().select_related("owner", "team")
    if text:
        found = found.filter(name__icontains=text)
    return _sorted(found, sort)


def rows_of(experiments: Iterable[Experiment]) -> list[ExperimentRow]:
    """The experiments with what their rows show: two statements, however many there are."""
    rows = {one.pk: ExperimentRow(one) for one in experiments}
    counted = (
        Run.objects.active()
        .filter(experiment_id__in=list(rows))
        .order_by()
        .values_list("experiment_id", "status")
        .annotate(runs=Count("pk"), last=Max("start_ms"))
    )
    for experiment_id, status, runs, last in counted:
        row = rows[experiment_id]
        row.runs += runs
        row.running += runs if status == "RUNNING" else 0
        row.last_ms = max((ms for ms in (row.last_ms, last) if ms is not None), default=None)
    for tag in ExperimentTag.objects.filter(experiment_id__in=list(rows)).order_by("key"):
        _add_tag(rows[tag.experiment_id], tag)
    return list(rows.values())


def recent_runs(actor: Actor, limit: int) -> Sequence[Run]:
    """The newest runs of the actor's lists, with their experiments."""
    found = Run.objects.listed_for(actor).active().filter(experiment__deleted_ms__isnull=True)
    return list(found.select_related("experiment").order_by(F("start_ms").desc(nulls_last=True), "-pk")[:limit])


def newest_of_each(actor: Actor, experiment_ids: Sequence[int], count: int) -> list[Run]:
    """The `count` newest runs of each of these experiments that the actor may read. One statement."""
    newest_first = [F("start_ms").desc(nulls_last=True), F("pk").desc()]
    place = Window(RowNumber(), partition_by="experiment_id", order_by=newest_first)
    found = Run.objects.visible_to(actor).active().filter(experiment_id__in=experiment_ids)
    return list(found.annotate(place=place).filter(place__lte=count).order_by("experiment_id", "place"))


def note_of(experiment: Experiment) -> str:
    """The description, as Markdown."""
    found = ExperimentTag.objects.filter(experiment=experiment, key=NOTE_TAG).values_list("value", flat=True)
    return found.first() or ""


def _sorted(found: QuerySet[Experiment], sort: str) -> QuerySet[Experiment]:
    key = sort.removeprefix("-")
    field_name = SORTS.get(key, "last_start_ms")
    runs = Run.objects.active().filter(experiment=OuterRef("pk")).order_by()
    if field_name == "last_start_ms":
        newest = runs.order_by(F("start_ms").desc(nulls_last=True)).values("start_ms")[:1]
        # An experiment without runs stands where it was made.
        found = found.annotate(last_start_ms=Coalesce(Subquery(newest), F("created_ms")))
    if field_name == "active_runs":
        counted = runs.values("experiment").annotate(n=Count("pk")).values("n")
        found = found.annotate(active_runs=Coalesce(Subquery(counted, output_field=IntegerField()), 0))
    column = F(field_name)
    return found.order_by(column.desc(nulls_last=True) if sort.startswith("-") else column.asc(nulls_last=True), "-pk")


def _add_tag(row: ExperimentRow, tag: ExperimentTag) -> None:
    if tag.key == NOTE_TAG:
        row.note = tag.value
    elif not tag.key.startswith(_OWN_TAGS):
        row.tags.append((tag.key, tag.value))
