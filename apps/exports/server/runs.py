"""Runs at a server: made, filled and ended, each once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from apps.core.errors import DomainError
from apps.experiments.actions import UsedDataset
from apps.exports.reading import pieces_of, stamp_of
from apps.exports.server.calls import Calls, pairs, parts
from apps.exports.server.words import DONE, PARENT, SOURCE_RUN, WRITTEN, plain
from apps.exports.targets import BadTarget, Going
from apps.imports.sources.base import BrokenSource
from apps.imports.tally import Tally

_METRICS = 1_000
_PAIRS = 100
_PAGE = 1_000


class Runs:
    """Those of all experiments that were looked at, by their ids here."""

    def __init__(self, calls: Calls, tally: Tally) -> None:
        self._calls, self._tally = calls, tally
        self._known: dict[str, dict[str, Any]] = {}

    def find(self, number: str) -> None:
        """What an earlier export wrote into an experiment."""
        asked = {"experiment_ids": [number], "max_results": _PAGE, "run_view_type": "ALL"}
        for answer in self._calls.pages("POST", "runs/search", "runs", **asked):
            tags = {each["key"]: each.get("value", "") for each in (answer.get("data") or {}).get("tags") or ()}
            if old_id := tags.get(SOURCE_RUN):
                marks = {WRITTEN: tags.get(WRITTEN, ""), DONE: tags.get(DONE, "")}
                kept = ("run_id", "artifact_uri", "lifecycle_stage")
                self._known[old_id] = {key: answer["info"].get(key, "") for key in kept} | marks

    def info(self, old_id: str) -> dict[str, Any] | None:
        """What is known of a run; None where it is not there."""
        return self._known.get(old_id)

    def new_id(self, old_id: str) -> str:
        """Its id there; empty where it is not."""
        return str(self._known[old_id]["run_id"]) if old_id in self._known else ""

    def put(self, number: str, runs: Sequence[Going]) -> None:
        """Make what is missing, with all that it logged about itself."""
        fresh = []
        for going in runs:
            stamp = stamp_of(going.foreign, going.series)
            known = self._known.get(going.foreign.run_id)
            if known and stamp in (known[WRITTEN], known[DONE]):
                self._tally.there["runs"] += 1
                continue
            try:
                self._begin(number, going)
            except (BadTarget, BrokenSource):
                raise
            except DomainError as error:
                self._tally.problem(f"run {going.foreign.run_id}: {error.message}")
                continue
            fresh.append((going, stamp))
        self._write_points([going for going, _ in fresh])
        for going, stamp in fresh:
            self._log(going, tags=pairs({WRITTEN: stamp}))
            self._known[going.foreign.run_id][WRITTEN] = stamp
        self._tally.brought["runs"] += len(fresh)

    def end(self, going: Going, models: Mapping[str, str]) -> None:
        """What it says of others, which are there by now; `models` are ids of logged models there by those here."""
        run = going.foreign
        known = self._known.get(run.run_id)
        stamp = stamp_of(run, going.series)
        if known is None or known[WRITTEN] != stamp:
            return
        if known[DONE] != stamp:
            self._link(going, models)
            asked = {"run_id": known["run_id"], "status": str(run.status), "run_name": run.name}
            self._try(going, "POST", "runs/update", **asked, **({"end_time": run.end_ms} if run.end_ms else {}))
            self._log(going, tags=pairs({DONE: stamp}))
            known[DONE] = stamp
        if run.is_deleted and known["lifecycle_stage"] != "deleted":
            self._try(going, "POST", "runs/delete", run_id=known["run_id"])
            known["lifecycle_stage"] = "deleted"

    def _begin(self, number: str, going: Going) -> None:
        run = going.foreign
        known = self._known.get(run.run_id)
        if known is None:
            answer = self._calls.call(
                "POST",
                "runs/create",
                experiment_id=number,
                user_id=run.user_name,
                run_name=run.name,
                start_time=run.start_ms or 0,
                tags=pairs({SOURCE_RUN: run.run_id}),
            )
            info = answer["run"]["info"]
            known = {key: str(info.get(key, "")) for key in ("run_id", "artifact_uri", "lifecycle_stage")}
            self._known[run.run_id] = known | {WRITTEN: "", DONE: ""}
        elif known["lifecycle_stage"] == "deleted":
            self._calls.call("POST", "runs/restore", run_id=known["run_id"])
            known["lifecycle_stage"] = "active"
        tags = {key: value for key, value in plain(run.tags).items() if key != PARENT}
        for some in parts(pairs(run.params), _PAIRS):
            self._log(going, params=some)
        for some in parts(pairs(tags), _PAIRS):
            self._log(going, tags=some)

    def _write_points(self, runs: Sequence[Going]) -> None:
        by_id = {going.foreign.run_id: going for going in runs}
        waiting: list[dict[str, Any]] = []
        current = ""
        for piece in pieces_of({going.run: going.series for going in runs}):
            if piece.run_id != current and waiting:
                self._log(by_id[current], metrics=waiting)
                waiting = []
            current = piece.run_id
            for step, timestamp, value, is_nan in piece.points:
                waiting.append(_metric(piece.key, step, timestamp, value, is_nan))
                if len(waiting) == _METRICS:
                    self._log(by_id[current], metrics=waiting)
                    waiting = []
            self._tally.brought["metric points"] += len(piece.points)
            self._tally.progress("writing runs")
        if waiting:
            self._log(by_id[current], metrics=waiting)

    def _link(self, going: Going, models: Mapping[str, str]) -> None:
        run = going.foreign
        run_id = self.new_id(run.run_id)
        if parent := run.tags.get(PARENT):
            self._log(going, tags=pairs({PARENT: self.new_id(parent) or parent}))
        inputs = [{"model_id": models[old_id]} for old_id in run.inputs if old_id in models]
        if run.datasets or inputs:
            datasets = [_dataset(each) for each in run.datasets]
            asked = {"datasets": datasets, **({"models": inputs} if inputs else {})}
            self._try(going, "POST", "runs/log-inputs", run_id=run_id, **asked)
        outputs = [
            {"model_id": models[old_id], "step": step} for old_id, step in run.outputs.items() if old_id in models
        ]
        if outputs:
            self._try(going, "POST", "runs/outputs", run_id=run_id, models=outputs)
        values = [
            {
                **_metric(*each.value),
                "model_id": models[each.model_id],
                "run_id": run_id,
                **({"dataset_name": each.dataset_name} if each.dataset_name else {}),
                **({"dataset_digest": each.dataset_digest} if each.dataset_digest else {}),
            }
            for each in run.of_models
            if each.model_id in models
        ]
        for some in parts(values, _METRICS):
            self._log(going, metrics=some)

    def _log(self, going: Going, **values: Any) -> None:
        self._try(going, "POST", "runs/log-batch", run_id=self.new_id(going.foreign.run_id), **values)

    def _try(self, going: Going, method: str, route: str, **values: Any) -> None:
        """A call that is only about this run: what is refused is said."""
        try:
            self._calls.call(method, route, **values)
        except (BadTarget, BrokenSource):
            raise
        except DomainError as error:
            self._tally.problem(f"run {going.foreign.run_id}: {error.message}")


def _metric(key: str, step: int, timestamp: int, value: float, is_nan: bool) -> dict[str, Any]:
    return {"key": key, "value": "NaN" if is_nan else value, "timestamp": timestamp, "step": step}


def _dataset(used: UsedDataset) -> dict[str, Any]:
    dataset = {"name": used.name, "digest": used.digest, "source_type": used.source_type, "source": used.source}
    more = {"schema": used.schema, "profile": used.profile}
    tags = [{"key": key, "value": value} for key, value in used.tags]
    return {"dataset": dataset | {key: value for key, value in more.items() if value is not None}, "tags": tags}
