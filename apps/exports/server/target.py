from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from apps.core.errors import NotFound
from apps.experiments.actions.experiments import DEFAULT_EXPERIMENT_NAME
from apps.experiments.foreign import ForeignExperiment, ForeignLoggedModel
from apps.exports.server.calls import Calls, pairs
from apps.exports.server.files import ServerFiles
from apps.exports.server.models import LoggedModels
from apps.exports.server.registry import Registry
from apps.exports.server.runs import Runs
from apps.exports.server.verifying import verify_run
from apps.exports.server.words import SOURCE, plain, tags_of
from apps.exports.targets import BadTarget, Going, GoingModel, Names, Owner, Refused
from apps.imports.tally import Tally

_PAGE = 1_000
_NOTES = (
    "Runs and logged models have new ids there; the old ones are the tags slipway.source_run_id and "
    "slipway.source_model_id.",
    "Times of versions are those of now: a server does not take them.",
)


class ServerTarget:
    """What was written is found by tags, so nothing is kept here."""

    def __init__(self, url: str, env: Mapping[str, str], tally: Tally, *, workspace: str = "") -> None:
        self._calls = Calls(url, env, workspace)
        self.label = self._calls.url
        self._tally = tally
        self._team = ""
        # Experiments by their names there, and those that were put by their ids here.
        self._named: dict[str, dict[str, Any]] = {}
        self._numbers: dict[str, str] = {}
        self._runs = Runs(self._calls, tally)
        self._models = LoggedModels(self._calls)
        self._registry = Registry(self._calls, tally, self._address_of, self._runs.new_id)

    @property
    def notes(self) -> Sequence[str]:
        return [*_NOTES, *self._registry.notes]

    def open(self, manifest: Mapping[str, Any], names: Names) -> None:
        self._team = str(manifest["team"])
        asked = {"view_type": "ALL", "max_results": _PAGE}
        try:
            found = list(self._calls.pages("POST", "experiments/search", "experiments", **asked))
        except NotFound as error:
            raise BadTarget(f"{self.label} is no tracking server of MLflow 2.x or 3.x.") from error
        there = {str(each["name"]): each for each in found}
        for name in names.experiments:
            if name in there and SOURCE not in tags_of(there[name]) and not self._is_free(there[name]):
                raise BadTarget(
                    f"{self.label} has an experiment '{name}' that is not of an export. Rename one of them."
                )
        self._named = there
        self._registry.require_free(names.models, self._team)

    def put_experiment(self, experiment: ForeignExperiment) -> None:
        mark = f"{self._team}/{experiment.old_id}/{experiment.created_ms}"
        found = self._find(experiment, mark)
        number = self._numbers[experiment.old_id] = str(found["experiment_id"])
        if found.get("lifecycle_stage") == "deleted":
            self._calls.call("POST", "experiments/restore", experiment_id=number)
        if found["name"] != experiment.name:
            self._rename(found, experiment.name)
        for key, value in {**plain(experiment.tags), SOURCE: mark}.items():
            if tags_of(found).get(key) != value:
                self._calls.call("POST", "experiments/set-experiment-tag", experiment_id=number, key=key, value=value)
        self._runs.find(number)
        self._models.find(number)

    def put_runs(self, experiment: ForeignExperiment, runs: Sequence[Going]) -> None:
        self._runs.put(self._number(experiment), runs)

    def put_logged_models(self, experiment: ForeignExperiment, models: Sequence[ForeignLoggedModel]) -> None:
        number = self._number(experiment)
        for model in models:
            if self._models.is_done(model):
                self._tally.there["logged models"] += 1
                continue
            about = f"logged model {model.model_id}"
            if model.is_deleted:
                self._tally.problem(f"{about}: it is in the trash, which a server does not tell of")
                continue
            try:
                self._models.put(number, model, self._runs.new_id(model.source_run_id))
            except NotFound:
                self._tally.problem(f"{about}: servers before 3.0 have none")
                continue
            except Refused as error:
                self._tally.problem(f"{about}: {error.message}")
                continue
            self._tally.brought["logged models"] += 1

    def files_there(self, owner: Owner) -> ServerFiles | None:
        if owner.run_id:
            run = self._runs.info(owner.run_id)
            return ServerFiles(self._calls, str(run["artifact_uri"]), run_id=str(run["run_id"])) if run else None
        model = self._models.info(owner.model_id)
        if model is None:
            return None
        return ServerFiles(self._calls, str(model["artifact_uri"]), model_id=str(model["model_id"]))

    def end_runs(self, experiment: ForeignExperiment, runs: Sequence[Going]) -> None:
        models = self._models.new_ids()
        for going in runs:
            self._runs.end(going, models)

    def end_experiment(self, experiment: ForeignExperiment) -> None:
        if experiment.is_deleted:
            self._calls.call("POST", "experiments/delete", experiment_id=self._number(experiment))

    def put_model(self, going: GoingModel) -> None:
        self._registry.put(going, self._team)

    def verify_runs(self, experiment: ForeignExperiment, runs: Sequence[Going]) -> Sequence[str]:
        lines = []
        for going in runs:
            run = self._runs.info(going.foreign.run_id)
            try:
                if run is None:
                    raise NotFound("It could not be put there.")
                lines += verify_run(self._calls, str(run["run_id"]), going, self._tally)
            except NotFound:
                lines.append(f"run {going.foreign.run_id} is not there")
        return lines

    def verify_logged_models(
        self, experiment: ForeignExperiment, models: Sequence[ForeignLoggedModel]
    ) -> Sequence[str]:
        # One in the trash was told when it was left out.
        return [line for model in models if not model.is_deleted for line in self._models.verify(model)]

    def verify_models(self, models: Sequence[GoingModel]) -> Sequence[str]:
        return [line for going in models for line in self._registry.verify(going, self._team)]

    def close(self) -> None:
        """Connections end with the process."""

    def _number(self, experiment: ForeignExperiment) -> str:
        return self._numbers[experiment.old_id]

    def _find(self, experiment: ForeignExperiment, mark: str) -> dict[str, Any]:
        """The one of this mark, whatever it is called by now; else the one of its name, or a new one."""
        for each in self._named.values():
            if tags_of(each).get(SOURCE) == mark:
                return each
        found = self._named.get(experiment.name)
        if found is None:
            made = self._calls.call("POST", "experiments/create", name=experiment.name, tags=pairs({SOURCE: mark}))
            self._tally.brought["experiments"] += 1
            found = {"experiment_id": made["experiment_id"], "name": experiment.name}
            self._named[experiment.name] = found
        elif tags_of(found).get(SOURCE, mark) != mark:
            raise BadTarget(
                f"{self.label} has an experiment '{experiment.name}' of another export. Rename one of them."
            )
        return found

    def _rename(self, found: dict[str, Any], name: str) -> None:
        """What has another name here by now."""
        try:
            self._calls.call("POST", "experiments/update", experiment_id=str(found["experiment_id"]), new_name=name)
        except Refused as error:
            raise BadTarget(
                f"{self.label} has an experiment '{name}' of another export. Rename one of them."
            ) from error
        del self._named[str(found["name"])]
        self._named[name] = found
        found["name"] = name

    def _is_free(self, experiment: Mapping[str, Any]) -> bool:
        """A server makes `Default` by itself: as long as nothing is in it, it is nobody's."""
        if experiment["name"] != DEFAULT_EXPERIMENT_NAME:
            return False
        asked = {"experiment_ids": [str(experiment["experiment_id"])], "max_results": 1, "run_view_type": "ALL"}
        return not self._calls.call("POST", "runs/search", **asked).get("runs")

    def _address_of(self, source: str, owner: Owner | None, path: str) -> tuple[str, str]:
        """What a version's source is there, with the id of its logged model."""
        run = self._runs.info(owner.run_id) if owner and owner.run_id else None
        model = self._models.info(owner.model_id) if owner and owner.model_id else None
        model_id = str(model["model_id"]) if model else ""
        if source.startswith("runs:/"):
            old_id, slash, rest = source.removeprefix("runs:/").partition("/")
            return f"runs:/{self._runs.new_id(old_id) or old_id}{slash}{rest}", model_id
        if source.startswith("models:/"):
            named = self._models.info(source.removeprefix("models:/"))
            return (f"models:/{named['model_id']}" if named else source), model_id
        found = run or model
        return (f"{str(found['artifact_uri']).rstrip('/')}{path}" if found else source), model_id
