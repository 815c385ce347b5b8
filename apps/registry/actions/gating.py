"""What decisions ask of the gates."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from apps.core.errors import Conflict
from apps.experiments.models import Experiment
from apps.registry import facts, gates
from apps.registry.gates.docket import Files
from apps.registry.models import GateResult, GateState, PromotionRequest


class NotPassed(Conflict):
    """A gate is not passed, so the request can't be approved; `details` names each gate, without values."""


def read_ahead(request: PromotionRequest) -> Files | None:
    """The files that the gates want, read before anything is locked; None where there are no gates."""
    return gates.read_files([request]) if request.rules.get("gates") else None


def require_passed(request: PromotionRequest, files: Files | None) -> list[GateResult]:
    """Judge the gates of a locked request anew; raise `NotPassed` unless all of them are passed."""
    if not request.rules.get("gates"):
        return []
    results = gates.evaluate_many([request], files)[request.pk]
    missing = [result for result in results if result.state != GateState.PASSED]
    if missing:
        said = ", ".join(f"{result.kind} ({result.state})" for result in missing)
        named = [{"gate": result.kind, "place": result.place, "state": result.state} for result in missing]
        raise NotPassed(f"Not every gate of {request.slot} is passed: {said}.", details={"gates": named})
    return results


def told(request: PromotionRequest, results: Sequence[GateResult]) -> list[str]:
    """What the gates said, for the audit log, which outlives request and version.

    Values of runs of other teams are left out, since readers of the log may not read those.
    """
    named = {key for result in results for key in result.experiments}
    team = request.version.model.team_id
    own = set(Experiment.objects.filter(pk__in=named, team=team).values_list("pk", flat=True)) if named else set()
    return [_told(result, named - own) for result in results]


def _told(result: GateResult, hidden: set[int]) -> str:
    demand = gates.describe({"kind": result.kind, "params": result.params})
    return demand if hidden & set(result.experiments) else f"{demand}: {result.text}"


def look_again(request: PromotionRequest) -> None:
    """Have what pages show of the gates brought to what a decision just saw, which was rolled back with it."""
    with transaction.atomic():
        facts.touch([request.version_id])
