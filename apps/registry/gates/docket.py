"""The facts that gates judge by, loaded for many cases at once: one statement for each kind of fact that is asked for.

Facts are of what the version is: of the run and the logged model that were found when it was registered, never of a run
that a label names.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from django.db.models import F, Q

from apps.core.paths import ArtifactPath
from apps.experiments.models import LoggedModelMetric, Run, RunTag, Series
from apps.registry.gates.base import Params, Verdict, checked_json
from apps.registry.gates.others import verdicts
from apps.registry.mlmodel import BrokenMLmodel, MLmodel, folder_of_version, has_file, read_mlmodel
from apps.registry.models import Alias, Check, GateResult, GateState, ModelVersion, ModelVersionTag, RequestState
from apps.registry.stages import Slot
from apps.registry.stamps import files_in, stamp_of

MOST_HOLDERS = 1000


@dataclass(frozen=True, slots=True)
class Case:
    """A version, fetched with its model, that is to enter a slot."""

    version: ModelVersion
    slot: Slot


@dataclass(frozen=True, slots=True)
class Value:
    """A metric of a version. `value` is None for a NaN. `source`: `run` or `logged_model`, or `kept` of a decision."""

    value: float | None
    source: str
    run_id: str
    experiment: int


class Files:
    """What was read of versions' files. What a store that is away raises is not kept."""

    def __init__(self) -> None:
        self._models: dict[str, MLmodel | BrokenMLmodel] = {}
        self._there: dict[tuple[str, ArtifactPath], bool] = {}
        self._stamps: dict[str, str] = {}

    def mlmodel(self, version: ModelVersion) -> MLmodel:
        """Its `MLmodel` file. Raises `BrokenMLmodel`, and `Unavailable` where the store is away."""
        if version.folder not in self._models:
            self._models[version.folder] = _read(version)
        found = self._models[version.folder]
        if isinstance(found, BrokenMLmodel):
            raise found
        return found

    def stamp(self, version: ModelVersion) -> str:
        """What tells its files from others; empty where it names none. Raises `Unavailable`."""
        if version.folder not in self._stamps:
            files = files_in(folder_of_version(version)) if version.folder else []
            self._stamps[version.folder] = stamp_of(files) if files else ""
        return self._stamps[version.folder]

    def has(self, version: ModelVersion, path: ArtifactPath) -> bool:
        """Whether there is such a file. Raises `Unavailable` where the store is away."""
        key = (version.folder, path)
        if key not in self._there:
            self._there[key] = has_file(version, path)
        return self._there[key]


class Docket:
    """The facts of some cases. `keys` are the metrics that their gates look at; `files`: what was read before.

    `asked`: the kinds of gates that other apps judge, each with the version and what the policy says.
    """

    def __init__(
        self,
        cases: Sequence[Case],
        *,
        keys: Collection[str] = (),
        with_holders: bool = False,
        files: Files | None = None,
        asked: Sequence[tuple[str, ModelVersion, Params]] = (),
    ) -> None:
        self._cases, self._keys, self._with_holders, self._asked = cases, set(keys), with_holders, asked
        self.files = files or Files()

    def metric(self, version: ModelVersion, key: str) -> Value | None:
        """What the source run logged of the logged model, else of itself: the latest. None where there is none."""
        run = self._runs.get(version.source_run_id or 0)
        if run is None:
            return None
        found = self._model_metrics.get((version.logged_model_id or 0, run.pk, key))
        source = "logged_model"
        if found is None:
            found, source = self._series.get((run.pk, key)), "run"
        if found is None:
            return None
        return Value(found[0], source, run.run_id, run.experiment_id)

    def run(self, version: ModelVersion) -> Run | None:
        """The run it is from; None where it is from none, or that is gone for good."""
        return self._runs.get(version.source_run_id or 0)

    def holders(self, case: Case) -> list[ModelVersion]:
        """The other versions that are in the slot now. An alias called like a stage stands for it while it has none."""
        found = (self._holders.get((case.version.model_id, slot)) for slot in case.slot.with_namesake)
        return [version for version in next(filter(None, found), []) if version.pk != case.version.pk]

    def kept_metric(self, version: ModelVersion, slot: Slot, key: str) -> Value | None:
        """The value of a metric on which it was decided that the version enter the slot, whatever was logged since."""
        return self._kept.get((version.pk, slot, key))

    def description(self, version: ModelVersion) -> str:
        """The version's description as it is now, not as it was when the version was fetched."""
        return self._descriptions.get(version.pk, "")

    def tag(self, version: ModelVersion, key: str) -> str | None:
        """A tag of the version."""
        return self._version_tags.get((version.pk, key))

    def run_tag(self, run: Run, key: str) -> str | None:
        """A tag of a run."""
        return self._run_tags.get((run.pk, key))

    def checks(self, version: ModelVersion) -> list[Check]:
        """What jobs outside reported of the version."""
        return self._checks.get(version.pk, [])

    def verdict(self, kind: str, version: ModelVersion, params: Params) -> Verdict | None:
        """What another app says of a version; None where there is no such app."""
        return self._verdicts.get((kind, version.pk, checked_json(params)))

    @cached_property
    def _verdicts(self) -> dict[tuple[str, int, str], Verdict]:
        found = {}
        for kind in dict.fromkeys(kind for kind, _version, _params in self._asked):
            asked = [(version, params) for each, version, params in self._asked if each == kind]
            for (version, params), verdict in zip(asked, verdicts(kind, asked, self.files.stamp), strict=False):
                found[kind, version.pk, checked_json(params)] = verdict
        return found

    @cached_property
    def _versions(self) -> list[ModelVersion]:
        held = [version for versions in self._holders.values() for version in versions]
        return list({version.pk: version for version in (*(case.version for case in self._cases), *held)}.values())

    @cached_property
    def _runs(self) -> dict[int, Run]:
        wanted = {version.source_run_id for version in self._versions if version.source_run_id}
        return Run.objects.in_bulk(wanted)

    @cached_property
    def _series(self) -> dict[tuple[int, str], tuple[float | None]]:
        found = Series.objects.filter(run__in=list(self._runs), key__in=self._keys)
        rows = found.values_list("run_id", "key", "last_value", "last_is_nan")
        return {(run, key): (_number(value, is_nan),) for run, key, value, is_nan in rows}

    @cached_property
    def _model_metrics(self) -> dict[tuple[int, int, str], tuple[float | None]]:
        """By logged model, run and key: only what a version's own run says of its model counts."""
        pairs = {(v.logged_model_id, v.source_run_id) for v in self._versions if v.logged_model_id and v.source_run_id}
        found = LoggedModelMetric.objects.filter(
            model__in={model for model, _ in pairs}, run__in={run for _, run in pairs}, key__in=self._keys
        ).order_by("step", "timestamp", "value", "id")
        rows = found.values_list("model_id", "run_id", "key", "value", "is_nan")
        return {(model, run, key): (_number(value, is_nan),) for model, run, key, value, is_nan in rows}

    @cached_property
    def _holders(self) -> dict[tuple[int, Slot], list[ModelVersion]]:
        found: dict[tuple[int, Slot], list[ModelVersion]] = defaultdict(list)
        if not self._with_holders:
            return found
        models = {case.version.model_id for case in self._cases}
        stages = {str(case.slot.namesake) for case in self._cases if case.slot.namesake}
        stages |= {case.slot.name for case in self._cases if case.slot.is_stage}
        aliases = {case.slot.name for case in self._cases if not case.slot.is_stage}
        in_stages = ModelVersion.objects.filter(model__in=models, stage__in=stages).order_by("-number")
        for version in in_stages[:MOST_HOLDERS]:
            found[version.model_id, Slot.stage(version.stage)].append(version)
        for alias in Alias.objects.filter(model__in=models, name__in=aliases).select_related("version"):
            found[alias.model_id, Slot.alias(alias.name)].append(alias.version)
        return found

    @cached_property
    def _kept(self) -> dict[tuple[int, Slot, str], Value]:
        held = {version.pk for versions in self._holders.values() for version in versions}
        if not held:
            return {}
        found = GateResult.objects.filter(
            Q(kind="metric") | Q(kind="better"),
            request__version__in=held,
            request__state=RequestState.APPLIED,
            round=F("request__round"),
            state=GateState.PASSED,
        )
        # The later request counts, and of its gates on one metric any: they saw the same value.
        return dict(_kept_value(result) for result in found.select_related("request").order_by("request__closed_ms"))

    @cached_property
    def _descriptions(self) -> dict[int, str]:
        wanted = ModelVersion.objects.filter(pk__in=[case.version.pk for case in self._cases])
        return dict(wanted.values_list("pk", "description"))

    @cached_property
    def _version_tags(self) -> dict[tuple[int, str], str]:
        versions = [case.version.pk for case in self._cases]
        rows = ModelVersionTag.objects.filter(version__in=versions).values_list("version_id", "key", "value")
        return {(version, key): value for version, key, value in rows}

    @cached_property
    def _run_tags(self) -> dict[tuple[int, str], str]:
        rows = RunTag.objects.filter(run__in=list(self._runs)).values_list("run_id", "key", "value")
        return {(run, key): value for run, key, value in rows}

    @cached_property
    def _checks(self) -> dict[int, list[Check]]:
        found: dict[int, list[Check]] = defaultdict(list)
        for check in _checks_of(case.version.pk for case in self._cases):
            found[check.version_id].append(check)
        return found


def _checks_of(versions: Iterable[int]) -> Iterable[Check]:
    return Check.objects.filter(version__in=list(versions)).select_related("reporter").order_by("-updated_ms")


def _read(version: ModelVersion) -> MLmodel | BrokenMLmodel:
    try:
        return read_mlmodel(version)
    except BrokenMLmodel as error:
        return error


def _kept_value(result: GateResult) -> tuple[tuple[int, Slot, str], Value]:
    seen, request = result.evidence, result.request
    value = Value(seen.get("value"), "kept", seen.get("run_id", ""), seen.get("experiment", 0))
    return (request.version_id, request.slot, str(seen.get("key", ""))), value


def _number(value: float, is_nan: bool) -> float | None:
    """The value to compare; None for NaN and infinities, which are stored as the greatest number there is."""
    return None if is_nan or abs(value) == sys.float_info.max else value
