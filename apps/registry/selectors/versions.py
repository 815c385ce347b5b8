"""What tables of versions and a version's page show, in a constant number of statements."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import F, Max, Q, QuerySet
from django.db.models.functions import Left

from apps.core.actor import Actor
from apps.experiments.models import LoggedModel, Param, Run, Series
from apps.registry.models import (
    Alias,
    Check,
    ModelVersion,
    ModelVersionTag,
    Placement,
    PromotionRequest,
    RegisteredModel,
)
from apps.registry.names import MAX_TAG_VALUE
from apps.registry.selectors.models import RESERVED_TAGS, STAGE_NAMES
from apps.registry.stages import Stage

_VALUES_SHOWN = 500
_PLACEMENTS_SHOWN = 200
_ACTIVE_SHOWN = 200
_REQUESTS_SHOWN = 20
SORTS = {"number": "number", "created": "created_ms", "stage": "stage", "owner": "owner__username"}


@dataclass
class VersionRow:
    """A version as tables show it. `run` is its source, if the actor may read it."""

    version: ModelVersion
    run: Run | None = None
    aliases: list[str] = field(default_factory=list)
    tags: list[tuple[str, str]] = field(default_factory=list)


def versions_of(model: RegisteredModel, *, stage: str = "", sort: str = "-number") -> QuerySet[ModelVersion]:
    """The versions of a model, all or those in a stage, in the order of `sort` (a key of SORTS)."""
    found = ModelVersion.objects.filter(model=model).select_related("owner")
    if stage in STAGE_NAMES:
        found = found.filter(stage=stage)
    column = F(SORTS.get(sort.removeprefix("-"), "number"))
    up = sort.removeprefix("-") in SORTS and not sort.startswith("-")
    return found.order_by(column.asc(nulls_last=True) if up else column.desc(nulls_last=True), "-number")


def rows_of(
    actor: Actor, model: RegisteredModel, versions: Iterable[ModelVersion], *, tag_length: int = MAX_TAG_VALUE
) -> list[VersionRow]:
    """The versions with what their rows show: three statements, however many there are.

    Of the values of tags the first `tag_length` characters.
    """
    rows = {version.pk: VersionRow(version) for version in versions}
    runs = {run.pk: run for run in _readable_runs(actor, rows.values())}
    for row in rows.values():
        row.version.model = model
        row.run = runs.get(row.version.source_run_id or 0)
    for alias in Alias.objects.filter(version_id__in=list(rows)).order_by("name"):
        rows[alias.version_id].aliases.append(alias.name)
    tags = ModelVersionTag.objects.filter(version_id__in=list(rows)).order_by("key")
    for version_id, key, value in tags.values_list("version_id", "key", Left("value", tag_length)):
        if not key.startswith(RESERVED_TAGS):
            rows[version_id].tags.append((key, value))
    return list(rows.values())


@dataclass(frozen=True, slots=True)
class VersionPage:
    """A version with what its page shows. `before` and `in_production` are numbers of others to compare it with.

    `run` and `logged_model` are where it came from, if the actor may read them.
    `hides_source`: it has a source run that the actor may not read.
    """

    version: ModelVersion
    run: Run | None
    logged_model: LoggedModel | None
    hides_source: bool
    params: list[Param]
    metrics: list[Series]
    tags: list[tuple[str, str]]
    requests: list[PromotionRequest]
    checks: list[Check]
    before: int | None
    in_production: int | None

    @property
    def run_label(self) -> str:
        """The run id that the client wrote, where it isn't that of the source run."""
        same = self.run is not None and self.run.run_id == self.version.run_id
        return "" if same or self.hides_source else self.version.run_id


def version_page(actor: Actor, version: ModelVersion) -> VersionPage:
    """Everything about a version that was fetched by `access`."""
    run = Run.objects.visible_to(actor).filter(pk=version.source_run_id or 0).select_related("experiment").first()
    logged = LoggedModel.objects.visible_to(actor).filter(pk=version.logged_model_id or 0).first()
    others = ModelVersion.objects.filter(model=version.model_id).exclude(pk=version.pk)
    beside = others.aggregate(
        before=Max("number", filter=Q(number__lt=version.number)),
        in_production=Max("number", filter=Q(stage=Stage.PRODUCTION.value)),
    )
    return VersionPage(
        version=version,
        run=run,
        logged_model=logged,
        hides_source=version.source_run_id is not None and run is None,
        params=list(Param.objects.filter(run=run).order_by("key")[:_VALUES_SHOWN]) if run else [],
        metrics=list(Series.objects.filter(run=run).order_by("key")[:_VALUES_SHOWN]) if run else [],
        tags=tags_of(version),
        **beside,
        checks=list(Check.objects.filter(version=version).order_by("name", "reporter_name")[:_VALUES_SHOWN]),
        requests=list(
            PromotionRequest.objects.open().filter(version=version).order_by("-created_ms", "-pk")[:_REQUESTS_SHOWN]
        ),
    )


def newest_keys(model: RegisteredModel) -> QuerySet[ModelVersion, int]:
    """The primary keys of the newest versions of a model, whose activity its page tells."""
    return ModelVersion.objects.filter(model=model).order_by("-number").values_list("pk", flat=True)[:_ACTIVE_SHOWN]


def requests_of(model: RegisteredModel) -> list[PromotionRequest]:
    """The newest open requests about versions of a model."""
    found = PromotionRequest.objects.open().filter(version__model=model).select_related("version")
    return list(found.order_by("-created_ms", "-pk")[:_REQUESTS_SHOWN])


def placements_of(version: ModelVersion) -> list[Placement]:
    """Where a version is and was, newest first."""
    found = Placement.objects.filter(version=version).select_related("request")
    return list(found.order_by("-from_ms", "-pk")[:_PLACEMENTS_SHOWN])


def tags_of(version: ModelVersion) -> list[tuple[str, str]]:
    """The labels that people and scripts gave a version, by key."""
    found = ModelVersionTag.objects.filter(version=version).order_by("key").values_list("key", "value")
    return [(key, value) for key, value in found if not key.startswith(RESERVED_TAGS)]


def aliases_of(version: ModelVersion) -> list[str]:
    """The names that point at a version."""
    return list(Alias.objects.filter(version=version).order_by("name").values_list("name", flat=True))


def _readable_runs(actor: Actor, rows: Iterable[VersionRow]) -> QuerySet[Run]:
    wanted = {row.version.source_run_id for row in rows if row.version.source_run_id}
    return Run.objects.visible_to(actor).filter(pk__in=wanted)
