"""Versions with a run behind them and requests about them, as rows: what calls make of them is tested elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from apps.accounts.models import Team
from apps.experiments.actions import now_ms
from apps.experiments.artifacts.folders import folder_of_run
from apps.experiments.models import Run
from apps.registry import gates
from apps.registry.models import GateResult, ModelVersion, PromotionRequest, RegisteredModel
from apps.registry.stages import Slot
from tests.experiments.logging import make_run, metric
from tests.personas import Persona

PRODUCTION = Slot.stage("Production")


def gate(kind: str, **params: object) -> dict[str, Any]:
    """A gate as a policy stores it."""
    return gates.check_gates([{"kind": kind, "params": params}])[0]


def make_version(
    who: Persona, team: Team, *, name: str = "iris", metrics: Mapping[str, Any] | None = None
) -> ModelVersion:
    """The next version of a model, from a new run of the person that logged the metrics."""
    run_id = make_run(who)
    values = [metric(key, value) for key, value in (metrics or {}).items()]
    who.call("POST", "runs/log-batch", {"run_id": run_id, "metrics": values})
    run = Run.objects.select_related("experiment").get(run_id=run_id)
    now = now_ms()
    model, _ = RegisteredModel.objects.get_or_create(
        team=team, name=name, defaults={"created_ms": now, "updated_ms": now}
    )
    model.last_number += 1
    model.save()
    return ModelVersion.objects.create(
        model=model,
        number=model.last_number,
        source=f"runs:/{run_id}/model",
        folder=f"{folder_of_run(run).uri}/model",
        run_id=run_id,
        source_run=run,
        owner=who.user,
        created_ms=now,
        updated_ms=now,
    )


def ask(who: Persona, version: ModelVersion, *demanded: Mapping[str, Any], slot: Slot = PRODUCTION) -> PromotionRequest:
    """An open request whose round demands the gates."""
    return PromotionRequest.objects.create(
        version=version,
        slot_kind=slot.kind.value,
        slot_name=slot.name,
        requester=who.user,
        requester_name=who.name,
        rules={"gates": list(demanded)},
        created_ms=now_ms(),
    )


def judge(
    who: Persona, version: ModelVersion, *demanded: Mapping[str, Any], slot: Slot = PRODUCTION
) -> Sequence[GateResult]:
    """What the gates say of the version."""
    return evaluate(ask(who, version, *demanded, slot=slot))


def evaluate(request: PromotionRequest) -> list[GateResult]:
    """What the gates of one request say now."""
    return gates.evaluate_many([request])[request.pk]
