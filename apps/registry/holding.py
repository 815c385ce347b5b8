"""What versions hold, and what they lend: the registry's answers to `apps.experiments.holds` and `lending`.

A version holds its files, and the run and logged model that it is from, while a policy governs a slot that it is in,
or a request about it is open. Afterwards it may go, and is not written to: it could come back, without gates. Readers
of a version read its files, whoever may read the run.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from django.db.models import Exists, OuterRef, Q, QuerySet

from apps.core.actor import Actor
from apps.experiments.holds import Hold, Things, register_holder
from apps.experiments.lending import register_lender
from apps.experiments.search import lookups  # noqa: F401 - registers `head`
from apps.registry.models import Alias, ModelVersion, Placement, PromotionRequest
from apps.registry.models.registered_models import INDEXED_LENGTH
from apps.registry.policies import PolicyBook
from apps.registry.stages import Slot, SlotKind, Stage

_OPEN = PromotionRequest.objects.open().filter(version=OuterRef("pk"))
_PLACED = Placement.objects.filter(version=OuterRef("pk"))
_POINTED_AT = Alias.objects.filter(version=OuterRef("pk"))


def register() -> None:
    """Let versions hold and lend files."""
    register_holder(hold_on)
    register_lender(lends)


def hold_on(things: Things) -> Hold | None:
    """What holds the things. One statement where no version of them is in a slot or asked about, else four at most."""
    ever = Q(Exists(_PLACED)) if things.writes else Q()
    somewhere = ~Q(stage=Stage.NONE.value) | Q(Exists(_POINTED_AT)) | Q(Exists(_OPEN)) | ever
    found = _made_of(things).filter(somewhere).annotate(is_asked_about=Exists(_OPEN)).select_related("model")
    versions = list(found.order_by("model", "-number"))
    if not versions:
        return None
    reasons = _reasons(versions, _were_in(versions) if things.writes else {})
    folders = frozenset(version.folder for version in versions if version.pk in reasons and version.folder)
    return Hold(next(iter(reasons.values())), folders) if reasons else None


def lends(actor: Actor, folders: Sequence[str]) -> bool:
    """Whether one of the folders is what a version is made of that the actor may read."""
    starts = {folder[:INDEXED_LENGTH] for folder in folders}
    found = ModelVersion.objects.visible_to(actor).filter(folder__head__in=starts, folder__in=folders)
    return found.exists()


def _made_of(things: Things) -> QuerySet[ModelVersion]:
    if things.runs:
        return ModelVersion.objects.filter(source_run__in=things.runs)
    if things.models:
        return ModelVersion.objects.filter(logged_model__in=things.models)
    if things.experiments:
        of_runs = Q(source_run__experiment__in=things.experiments)
        return ModelVersion.objects.filter(of_runs | Q(logged_model__experiment__in=things.experiments))
    if not things.around:
        return ModelVersion.objects.none()
    place = things.around.rstrip("/")
    above = [place[:end] for end, character in enumerate(place) if character == "/"]
    return ModelVersion.objects.filter(Q(folder__startswith=f"{place}/") | Q(folder__in=[place, *above]))


def _were_in(versions: Sequence[ModelVersion]) -> dict[int, list[Slot]]:
    """Where each version ever was, by its key."""
    slots: dict[int, list[Slot]] = defaultdict(list)
    rows = Placement.objects.filter(version__in=versions).order_by().values_list("version_id", "slot_kind", "slot_name")
    for key, kind, name in rows.distinct():
        slots[key or 0].append(Slot(SlotKind(kind), name))
    return slots


def _reasons(versions: Sequence[ModelVersion], past: Mapping[int, Sequence[Slot]]) -> dict[int, str]:
    """Why each version holds, by its key; without those that hold nothing. `past`: where they were, if that holds."""
    books = PolicyBook.load_many({version.model_id: version.model for version in versions}.values())
    aliases: dict[int, list[str]] = defaultdict(list)
    for name, key in Alias.objects.filter(version__in=versions).order_by("name").values_list("name", "version_id"):
        aliases[key].append(name)
    reasons = {}
    for version in versions:
        governed = [slot for slot in _slots(version, aliases[version.pk]) if books[version.model_id].governs(slot)]
        if governed:
            reasons[version.pk] = f"{version} is in {governed[0]}, which a policy governs."
        elif version.is_asked_about:  # type: ignore[attr-defined]
            reasons[version.pk] = f"a request about {version} is open."
        elif was := next(filter(books[version.model_id].governs, past.get(version.pk, ())), None):
            reasons[version.pk] = f"{version} was in {was}, which a policy governs, and can come back there."
    return reasons


def _slots(version: ModelVersion, aliases: Iterable[str]) -> list[Slot]:
    stages = [] if version.stage == Stage.NONE else [Slot.stage(version.stage)]
    return stages + [Slot.alias(name) for name in aliases]
