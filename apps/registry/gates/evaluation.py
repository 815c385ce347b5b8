"""Judging the gates of requests, and keeping what was found. A constant number of statements, however many requests."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import DatabaseError, transaction
from django.utils import translation
from django.utils.translation import gettext as _

from apps.core.errors import InvalidInput, Unavailable
from apps.experiments.actions import now_ms
from apps.registry.gates.base import MAX_TEXT, Gate, Params, Verdict, pending
from apps.registry.gates.docket import Case, Docket, Files
from apps.registry.gates.kinds import KINDS, gate_of
from apps.registry.models import GateResult, ModelVersion, PromotionRequest
from apps.registry.stages import Slot

logger = logging.getLogger(__name__)

# What scripts log comes without a word, so gates about runs are looked at again after this time.
LOOK_AGAIN_MS = 60_000
_KEPT = ("state", "text", "evidence", "evaluated_ms")


def evaluate_many(requests: Sequence[PromotionRequest], files: Files | None = None) -> dict[int, list[GateResult]]:
    """Judge the gates of some requests' rounds anew and keep what was found; by their keys, in the policies' order.

    The requests are fetched with version and model, and their rows are locked: what two judge at once could be kept in
    the wrong order. `files`: what `read_files` read of them.
    """
    docket = _docket(requests, files)
    found = {request.pk: _judged(request, docket) for request in requests}
    again = {request.pk for request in requests if _looks_at_run(request)}
    with transaction.atomic():
        GateResult.objects.bulk_create(
            [result for results in found.values() for result in results],
            update_conflicts=True,
            unique_fields=["request", "round", "place"],
            update_fields=_KEPT,
        )
        PromotionRequest.objects.filter(pk__in=again).update(stale_ms=now_ms() + LOOK_AGAIN_MS)
        PromotionRequest.objects.filter(pk__in=set(found) - again).update(stale_ms=None)
    return found


def read_files(requests: Sequence[PromotionRequest]) -> Files:
    """What the gates will want of files, read ahead: from a bucket that takes a while, so not under a lock."""
    docket = _docket(requests)
    for request in requests:
        for kind, params in _known(gates_of(request)):
            if kind.reads_files:
                _verdict(_case(request), {"kind": kind.kind, "params": params}, docket)
    return docket.files


def preview(version: ModelVersion, slot: Slot, gates: Sequence[Params]) -> list[GateResult]:
    """How the gates of a policy would judge a version now; nothing is kept."""
    case = Case(version, slot)
    asked = _asked(version, gates)
    return _results(case, gates, Docket([case], keys=_keys(gates), with_holders=_compares(gates), asked=asked))


def _docket(requests: Sequence[PromotionRequest], files: Files | None = None) -> Docket:
    gates = [gate for request in requests for gate in gates_of(request)]
    cases = [_case(request) for request in requests]
    asked = [each for request in requests for each in _asked(request.version, gates_of(request))]
    return Docket(cases, keys=_keys(gates), with_holders=_compares(gates), files=files, asked=asked)


def _judged(request: PromotionRequest, docket: Docket) -> list[GateResult]:
    results = _results(_case(request), gates_of(request), docket)
    for result in results:
        result.request, result.round = request, request.round
    return results


def _results(case: Case, gates: Sequence[Params], docket: Docket) -> list[GateResult]:
    return [_result(place, gate, _verdict(case, gate, docket)) for place, gate in enumerate(gates)]


def _result(place: int, gate: Params, verdict: Verdict) -> GateResult:
    return GateResult(
        place=place,
        kind=gate["kind"],
        params=gate["params"],
        state=verdict.state,
        text=verdict.text[:MAX_TEXT],
        evidence=_evidence(verdict),
        evaluated_ms=now_ms(),
    )


def _verdict(case: Case, gate: Params, docket: Docket) -> Verdict:
    # Texts are kept for whoever reads them later, so they are not in the language of who happens to ask.
    with translation.override(None):
        try:
            return gate_of(gate["kind"]).judge(case, gate["params"], docket)
        except (Unavailable, InvalidInput) as error:
            return pending(error.message)
        except DatabaseError:
            raise
        except Exception:  # one that can't be judged lets nobody pass, and keeps no others from being judged
            logger.exception("gate %s of %s", gate["kind"], case.version)
            return pending(_("The server could not judge this; its log says why"))


def _evidence(verdict: Verdict) -> dict[str, Any]:
    hidden = {"experiments": sorted(verdict.experiments)} if verdict.experiments else {}
    return {**verdict.evidence, **hidden}


def gates_of(request: PromotionRequest) -> list[Params]:
    """What the request's round demands."""
    gates: list[Params] = request.rules.get("gates", [])
    return gates


def _case(request: PromotionRequest) -> Case:
    return Case(request.version, request.slot)


def _keys(gates: Iterable[Params]) -> set[str]:
    return {key for kind, params in _known(gates) for key in kind.metric_keys(params)}


def _compares(gates: Iterable[Params]) -> bool:
    return any(kind.looks_at_holders() for kind, _params in _known(gates))


def _asked(version: ModelVersion, gates: Iterable[Params]) -> list[tuple[str, ModelVersion, Params]]:
    return [(kind.kind, version, params) for kind, params in _known(gates) if kind.asks_others]


def _looks_at_run(request: PromotionRequest) -> bool:
    return any(kind.looks_at_run(params) for kind, params in _known(gates_of(request)))


def _known(gates: Iterable[Params]) -> list[tuple[Gate, Params]]:
    """Those that this release knows; another release may have stored others, which nobody passes."""
    return [(KINDS[gate["kind"]], gate["params"]) for gate in gates if gate["kind"] in KINDS]
