from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.core.http import ActorRequest
from apps.core.pages import methods
from apps.core.rules import signed_in
from apps.experiments.selectors import comparison
from apps.experiments.selectors.comparison import Comparison, Row


@signed_in
@methods("GET")
def compare(request: ActorRequest) -> HttpResponse:
    """Runs side by side: `?runs=a,b,c`, `&baseline=b`. The URL is the whole state, to be shared."""
    wanted = [one for one in request.GET.get("runs", "").split(",") if one]
    baseline = request.GET.get("baseline", "")
    if added := request.GET.get("add", "").strip():
        return redirect(_address([*wanted, added], baseline))
    found = comparison.compare(request.actor, wanted, baseline=baseline)
    return render(request, "experiments/compare.html", _context(found))


def _context(found: Comparison) -> dict[str, Any]:
    run_ids = [run.run_id for run in found.runs]
    experiments = {run.experiment_id: run.experiment for run in found.runs}
    return {
        "comparison": found,
        "columns": _columns(found, run_ids),
        "joined": ",".join(run_ids),
        "one_experiment": next(iter(experiments.values())) if len(experiments) == 1 else None,
        "sections": [
            (_("About"), found.facts, "facts"),
            (_("Metrics"), found.metrics, "metrics"),
            (_("Params"), found.params, "params"),
            (_("Tags"), found.tags, "tags"),
        ],
        "cut_at": comparison.MAX_ROWS,
        "numbers": _numbers(found),
    }


def _columns(found: Comparison, run_ids: list[str]) -> list[dict[str, Any]]:
    base = run_ids[found.baseline] if run_ids else ""
    return [
        {
            "run": run,
            "is_baseline": place == found.baseline,
            "without": _address([one for one in run_ids if one != run.run_id], base if base != run.run_id else ""),
            "as_baseline": _address(run_ids, run.run_id),
        }
        for place, run in enumerate(found.runs)
    ]


def _address(run_ids: list[str], baseline: str) -> str:
    query = {"runs": ",".join(run_ids)} | ({"baseline": baseline} if baseline else {})
    return f"{reverse('experiments:compare')}?{urlencode(query, safe=',')}"


def _numbers(found: Comparison) -> dict[str, Any]:
    """What the charts of params against metrics need: texts and numbers by key, in the order of the runs."""
    return {
        "names": [str(run) for run in found.runs],
        "params": {row.key: _values(row) for row in found.params},
        "metrics": {row.key: [cell.number for cell in row.cells] for row in found.metrics},
    }


def _values(row: Row) -> list[float | str | None]:
    if all(cell.number is not None or not cell.text for cell in row.cells):
        return [cell.number for cell in row.cells]
    return [cell.text[:60] or None for cell in row.cells]
