"""The table of runs: which columns it has, and the cells of one page. A constant number of statements per page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from apps.core.actor import Actor
from apps.core.pagination import Page, query_fingerprint
from apps.experiments.models import DatasetInput, Experiment, Param, Run, RunTag, Series
from apps.experiments.search.grammars import RUNS
from apps.experiments.search.limits import bounded
from apps.experiments.search.ordering import take_page
from apps.experiments.search.parser import parse_filter
from apps.experiments.search.runs import filter_runs, run_order

# What the table shows while nobody has chosen.
DEFAULT_FIELDS = ("started", "duration", "user")
_DEFAULT_METRICS = 8
_DEFAULT_PARAMS = 6
# Names for the chooser are taken from the newest runs: all names of all runs would be a scan of the whole experiment.
_RUNS_LOOKED_AT = 1_000
_NAMES_AT_MOST = 500

FIELDS = ("started", "duration", "ended", "user", "source", "dataset")
SOURCE_TAG = "mlflow.source.name"
_OWN_TAGS = "mlflow."


@dataclass(frozen=True, slots=True)
class Columns:
    """What the table shows beside name and status, in order; each group by key."""

    fields: tuple[str, ...] = DEFAULT_FIELDS
    metrics: tuple[str, ...] = ()
    params: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """The columns as the URL and the cookie carry them."""
        groups = (("metrics", self.metrics), ("params", self.params), ("tags", self.tags))
        return (*self.fields, *(f"{group}.{key}" for group, keys in groups for key in keys))

    @classmethod
    def parse(cls, keys: Iterable[str]) -> Columns:
        """The inverse of `keys`; what is no column is left out."""
        chosen: dict[str, list[str]] = {"metrics": [], "params": [], "tags": []}
        fields = []
        for one in dict.fromkeys(keys):
            group, dot, key = one.partition(".")
            if one in FIELDS:
                fields.append(one)
            elif dot and key and group in chosen and len(key) <= 250:
                chosen[group].append(key)
        return cls(tuple(fields), *(tuple(chosen[group]) for group in ("metrics", "params", "tags")))


@dataclass
class RunRow:
    """A run with the cells of its row. `children` counts its nested runs."""

    run: Run
    children: int = 0
    metrics: dict[str, Series] = field(default_factory=dict)
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    datasets: list[str] = field(default_factory=list)

    @property
    def source(self) -> str:
        """The script or notebook, as the client named it."""
        return self.tags.get(SOURCE_TAG, "")


def page_of(
    actor: Actor,
    experiment: Experiment,
    *,
    text: str,
    order_by: Sequence[str],
    folds: bool,
    size: int,
    after: str = "",
) -> Page[Run]:
    """Active runs that a filter matches, a page of them; with `folds` nested runs stay under their parents.

    Two statements, more where the filter may be slow. The caller has checked that the actor may read the experiment.
    Raises `InvalidInput` for a filter or order that can't be read.
    """
    node = parse_filter(text, RUNS)
    active = Run.objects.active().filter(experiment=experiment)
    rows = filter_runs(top_level(active) if folds else active, node)
    fingerprint = query_fingerprint(actor, "run-table", experiment.pk, text, list(order_by), folds)
    with bounded(node):
        found = take_page(rows, run_order(order_by, node), fingerprint=fingerprint, page_token=after, max_results=size)
    runs = Run.objects.in_bulk(found.items)
    return Page([runs[pk] for pk in found.items if pk in runs], found.next_token)


def top_level(runs: QuerySet[Run]) -> QuerySet[Run]:
    """Runs without a parent, and those whose parent is not among the active runs of their experiment."""
    parent = Run.objects.active().filter(run_id=OuterRef("parent_run_id"), experiment_id=OuterRef("experiment_id"))
    return runs.filter(Q(parent_run_id="") | ~Exists(parent))


def default_columns(runs: Sequence[Run]) -> Columns:
    """The metrics and params that most of these runs have. Two statements."""
    ids = [run.pk for run in runs]
    metrics = Series.objects.filter(run_id__in=ids).order_by().values_list("key").annotate(n=Count("run_id"))
    params = Param.objects.filter(run_id__in=ids).order_by().values_list("key").annotate(n=Count("run_id"))
    return Columns(
        DEFAULT_FIELDS,
        tuple(key for key, _ in metrics.order_by("-n", "key")[:_DEFAULT_METRICS]),
        tuple(key for key, _ in params.order_by("-n", "key")[:_DEFAULT_PARAMS]),
    )


def rows_of(runs: Sequence[Run], columns: Columns) -> list[RunRow]:
    """The rows of a page: a statement for each kind of column that is shown, and one for nested runs."""
    rows = {run.pk: RunRow(run) for run in runs}
    ids = list(rows)
    for series in Series.objects.filter(run_id__in=ids, key__in=columns.metrics):
        rows[series.run_id].metrics[series.key] = series
    for param in Param.objects.filter(run_id__in=ids, key__in=columns.params):
        rows[param.run_id].params[param.key] = param.value
    source = (SOURCE_TAG,) if "source" in columns.fields else ()
    for tag in RunTag.objects.filter(run_id__in=ids, key__in=(*columns.tags, *source)):
        rows[tag.run_id].tags[tag.key] = tag.value
    used = DatasetInput.objects.filter(run_id__in=ids if "dataset" in columns.fields else [])
    for run_id, name in used.values_list("run_id", "dataset__name"):
        rows[run_id].datasets.append(name)
    _count_children(rows)
    return list(rows.values())


def names_in(experiment: Experiment) -> Columns:
    """All columns there are to choose, from the newest runs. Three statements."""
    newest = Run.objects.active().filter(experiment=experiment).order_by("-start_ms").values("pk")[:_RUNS_LOOKED_AT]
    ids = list(newest.values_list("pk", flat=True))
    return Columns(
        FIELDS,
        _names(Series.objects.filter(run_id__in=ids)),
        _names(Param.objects.filter(run_id__in=ids)),
        _names(RunTag.objects.filter(run_id__in=ids).exclude(key__startswith=_OWN_TAGS)),
    )


def status_counts(experiment: Experiment) -> dict[str, int]:
    """How many active runs are in each status. One statement."""
    found = Run.objects.active().filter(experiment=experiment).order_by().values_list("status")
    return dict(found.annotate(n=Count("pk")))


def _names(found: QuerySet[Series] | QuerySet[Param] | QuerySet[RunTag]) -> tuple[str, ...]:
    return tuple(found.order_by("key").values_list("key", flat=True).distinct()[:_NAMES_AT_MOST])


def _count_children(rows: dict[int, RunRow]) -> None:
    by_run_id = {row.run.run_id: row for row in rows.values()}
    experiments = {row.run.experiment_id for row in rows.values()}
    found = Run.objects.active().filter(parent_run_id__in=list(by_run_id), experiment_id__in=experiments)
    for parent, count in found.order_by().values_list("parent_run_id").annotate(n=Count("pk")):
        by_run_id[parent].children = count
