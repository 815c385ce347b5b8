"""What the list of models and a model's page show, in a constant number of statements."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import Count, F, Max, QuerySet
from django.db.models.functions import Left

from apps.core.actor import Actor
from apps.registry import addresses
from apps.registry.models import Alias, ModelVersion, RegisteredModel, RegisteredModelTag
from apps.registry.names import MAX_TAG_VALUE
from apps.registry.search.models import condition_of
from apps.registry.stages import Stage

# Tags that the client keeps for itself.
RESERVED_TAGS = ("mlflow.", "_mlflow_")
SORTS = {
    "name": "name",
    "updated": "updated_ms",
    "created": "created_ms",
    "owner": "owner__username",
    "newest": "last_number",
}
STAGE_NAMES = tuple(stage.value for stage in Stage)
# How much of a tag's value and of a description lists show.
TAG_SHOWN = 300
_SAID = 1000
_SHOWN_STAGES = (Stage.PRODUCTION, Stage.STAGING)


@dataclass(frozen=True, slots=True)
class InStage:
    """The newest version in a stage, and how many more are in it."""

    stage: str
    number: int
    others: int


@dataclass(frozen=True, slots=True)
class PointsAt:
    """An alias: the number of the version that it points at, and the path of that one's page."""

    name: str
    number: int
    url: str


@dataclass
class ModelRow:
    """A model as lists show it. `newest` is the highest number there is; `tags` are people's own.

    `said` is how the description begins, where `beginnings` asked for that.
    """

    model: RegisteredModel
    versions: int = 0
    newest: int | None = None
    stages: list[InStage] = field(default_factory=list)
    aliases: list[PointsAt] = field(default_factory=list)
    tags: list[tuple[str, str]] = field(default_factory=list)

    @property
    def said(self) -> str:
        """For lists: whole descriptions may be long."""
        return str(getattr(self.model, "said", ""))


def models_matching(
    actor: Actor, *, text: str = "", stage: str = "", sort: str = "-updated", prompts: bool = False
) -> QuerySet[RegisteredModel]:
    """Models (or prompts) of the actor's lists whose name contains `text`, with a version in `stage`.

    Where `text` compares something (`tags.domain = 'credit'`) it is a filter in the protocol's grammar; raises
    `InvalidInput` for one that can't be read. Look for the rows of a search `search.models.within_time`.
    `sort` is a key of SORTS, with `-` before it for descending; another one sorts as none was given.
    """
    found = RegisteredModel.objects.listed_for(actor).filter(is_prompt=prompts).select_related("team", "owner")
    if text:
        found = found.filter(condition_of(text, prompts=prompts))
    if stage in STAGE_NAMES:
        found = found.filter(pk__in=ModelVersion.objects.filter(stage=stage).values("model_id"))
    return _sorted(found, sort)


def beginnings(models: QuerySet[RegisteredModel]) -> QuerySet[RegisteredModel]:
    """The same models, for tables: with how their descriptions begin instead of the whole."""
    return models.defer("description").annotate(said=Left("description", _SAID))


def rows_of(models: Iterable[RegisteredModel], *, tag_length: int = MAX_TAG_VALUE) -> list[ModelRow]:
    """The models with what their rows show: three statements, however many there are.

    Of the values of tags the first `tag_length` characters.
    """
    rows = {model.pk: ModelRow(model) for model in models}
    counted = ModelVersion.objects.filter(model_id__in=list(rows)).order_by().values_list("model_id", "stage")
    for model_id, stage, count, newest in counted.annotate(count=Count("pk"), newest=Max("number")):
        row = rows[model_id]
        row.versions += count
        row.newest = max(newest, row.newest or 0)
        if stage in _SHOWN_STAGES:
            row.stages.append(InStage(stage, newest, count - 1))
    aliases = Alias.objects.filter(model_id__in=list(rows)).order_by("name")
    for model_id, name, number in aliases.values_list("model_id", "name", "version__number"):
        url = addresses.version_url(ModelVersion(model=rows[model_id].model, number=number))
        rows[model_id].aliases.append(PointsAt(name, number, url))
    tags = RegisteredModelTag.objects.filter(model_id__in=list(rows)).order_by("key")
    for model_id, key, value in tags.values_list("model_id", "key", Left("value", tag_length)):
        if not key.startswith(RESERVED_TAGS):
            rows[model_id].tags.append((key, value))
    for row in rows.values():
        row.stages.sort(key=lambda one: _SHOWN_STAGES.index(Stage(one.stage)))
    return list(rows.values())


def tags_of(model: RegisteredModel) -> list[tuple[str, str]]:
    """The labels that people and scripts gave a model, by key."""
    found = RegisteredModelTag.objects.filter(model=model).order_by("key").values_list("key", "value")
    return [(key, value) for key, value in found if not key.startswith(RESERVED_TAGS)]


def _sorted(found: QuerySet[RegisteredModel], sort: str) -> QuerySet[RegisteredModel]:
    key = sort.removeprefix("-")
    if key not in SORTS:
        return found.order_by("-updated_ms", "-pk")
    column = F(SORTS[key])
    return found.order_by(column.desc(nulls_last=True) if sort.startswith("-") else column.asc(nulls_last=True), "-pk")
