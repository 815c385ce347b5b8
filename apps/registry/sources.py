"""What a version's source means: which files, of which run or logged model, and whether the caller may lend them.

Readers of a version may read its files, so a source is taken only from somebody who may read what it names; a run or
model of another team wants the right to edit there. Nothing is repaired: a path is canonical or refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from apps.core.actor import Actor, Level
from apps.core.errors import InvalidInput, NotFound, PermissionDenied
from apps.core.paths import ArtifactPath
from apps.experiments import access as experiments
from apps.experiments import limits
from apps.experiments.artifacts.folders import ROOT, ArtifactFolder, folder_of_logged_model, folder_of_run
from apps.experiments.models import LoggedModel, Run
from apps.registry import access, references
from apps.registry.addresses import version_uri
from apps.registry.models import ModelVersion, RegisteredModel
from apps.registry.names import MAX_SOURCE

# What clients and the protocol's own pages write, since a prompt has no files.
PROMPT_SOURCE = "dummy-source"
PROMPT_SOURCES = frozenset({PROMPT_SOURCE, "prompt-template"})

_MODEL_ID = re.compile(r"m-[0-9a-f]{32}")
_OWN_STORE = re.compile(r"mlflow-artifacts:(?://[A-Za-z0-9.-]+(?::\d+)?)?/(?!/)(?P<path>.*)", re.DOTALL)
_FOLDER = re.compile(r"(?:models/(?P<model>[\w-]{1,36})|(?P<run>[\w-]{1,36}))/artifacts(?:/(?P<rest>.*))?", re.DOTALL)
_BUCKET = re.compile(r"(?P<root>s3://.*?)/(?P<tail>(?:models/)?[\w-]{1,36}/artifacts(?:/.*)?)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Source:
    """What was found. `folder` is the address of the files as the protocol writes it; empty: there are none."""

    source: str
    folder: str = ""
    run_id: str = ""
    run: Run | None = None
    logged_model: LoggedModel | None = None


def prompt_source(source: str, run_id: str) -> Source:
    """The source of a prompt, which has no files: only what clients write for that is taken."""
    if source not in PROMPT_SOURCES:
        raise InvalidInput(f"Invalid prompt source: '{source[:500]}'. Prompt sources must use an MLflow placeholder.")
    limits.check_length("run_id", run_id, 36)
    return Source(source, run_id=run_id)


def find_source(actor: Actor, model: RegisteredModel, source: str, *, run_id: str = "", model_id: str = "") -> Source:
    """What `source` names, if the actor may read it and `run_id` and `model_id`, where given, name the same."""
    limits.check_length("source", source, MAX_SOURCE)
    limits.check_length("run_id", run_id, 36)
    finder = _Finder(actor, model, source, run_id, model_id)
    scheme = source.partition(":")[0]
    if scheme == "runs":
        return finder.of_run_path()
    if scheme == "models":
        return finder.of_model()
    if scheme == "mlflow-artifacts":
        return finder.of_own_store()
    if scheme == "s3":
        return finder.of_bucket()
    raise _bad(
        source,
        "It has to be one of runs:/<run_id>/<path>, models:/<model_id>, models:/<name>/<version>, or the address of "
        "the folder of a run or logged model of this server.",
    )


@dataclass(frozen=True, slots=True)
class _Finder:
    actor: Actor
    model: RegisteredModel
    source: str
    run_id: str
    model_id: str

    def of_run_path(self) -> Source:
        run_id, _, written = self.source.removeprefix("runs:/").partition("/")
        if self.source.startswith("runs://") or self.model_id or run_id != (self.run_id or run_id):
            raise self.outside("model_id" if self.model_id else "run_id")
        limits.check_run_id(run_id)
        limits.check_length("run_id", run_id, 36)
        path = self.path(written) if "/" in self.source.removeprefix("runs:/") else ROOT
        try:
            run = self.lent_run(run_id)
        except NotFound:
            if Run.objects.filter(run_id=run_id).exists():
                raise
            return Source(self.source, run_id=run_id)
        folder = folder_of_run(run)
        logged = _model_instead(run, folder, path)
        if logged is not None:
            return Source(self.source, folder_of_logged_model(logged).uri, run_id, run, logged)
        return Source(self.source, "/".join((folder.uri, *path.segments)), run_id, run)

    def of_model(self) -> Source:
        if _MODEL_ID.fullmatch(wanted := self.source.removeprefix("models:/")):
            if self.model_id not in ("", wanted):
                raise self.outside("model_id")
            return self.of_logged_model(self.lent_model(wanted), "")
        return self.copied(references.find_version(self.actor, self.source))

    def copied(self, version: ModelVersion) -> Source:
        """A copy of a version of this server, with all that was found when that one was registered."""
        if version.model.is_prompt:
            raise _bad(self.source, "Prompt versions cannot be used as model version sources.")
        logged = version.logged_model
        if (self.run_id or version.run_id) != version.run_id or (
            self.model_id and (logged is None or logged.model_id != self.model_id)
        ):
            raise _bad(
                self.source, "The run_id and model_id request parameters must match the referenced model version."
            )
        if version.model.team_id != self.model.team_id:
            access.require_level(self.actor, version.model, Level.EDIT)
        return Source(version_uri(version), version.folder, version.run_id, version.source_run, logged)

    def of_own_store(self) -> Source:
        found = _OWN_STORE.fullmatch(self.source)
        path = self.path(found["path"] if found else "")
        return self.in_folder("mlflow-artifacts:/" + str(path), "mlflow-artifacts:/" + path.segments[0])

    def of_bucket(self) -> Source:
        found = _BUCKET.fullmatch(self.source)
        if found is None:
            raise self.outside("run_id")
        self.path(self.source.removeprefix("s3://"))
        return self.in_folder(self.source, found["root"])

    def in_folder(self, uri: str, root: str) -> Source:
        """A folder of a run or logged model whose experiment's files lie at `root`."""
        found = _FOLDER.fullmatch(uri.removeprefix(f"{root}/"))
        if found is None:
            raise self.outside("model_id" if self.model_id else "run_id")
        rest = f"/{found['rest']}" if found["rest"] else ""
        if found["model"]:
            if self.model_id not in ("", found["model"]):
                raise self.outside("model_id")
            model = self.lent_model(found["model"])
            self.same(folder_of_logged_model(model).uri + rest, uri)
            return self.of_logged_model(model, rest)
        if self.model_id or found["run"] != (self.run_id or found["run"]):
            raise self.outside("model_id" if self.model_id else "run_id")
        run = self.lent_run(found["run"])
        self.same(folder_of_run(run).uri + rest, uri)
        return Source(self.source, uri, run.run_id, run)

    def of_logged_model(self, model: LoggedModel, rest: str) -> Source:
        # A client may write any run's id into a logged model. Only one of the same experiment, where the same people
        # write, is taken for its source: gates go by what it logged.
        runs = Run.objects.filter(run_id=model.source_run_id, experiment=model.experiment_id)
        run = runs.first() if model.source_run_id else None
        label = self.run_id or model.source_run_id
        return Source(self.source, folder_of_logged_model(model).uri + rest, label, run, model)

    def lent_run(self, run_id: str) -> Run:
        run = experiments.get_run(self.actor, run_id)
        experiments.require_active(run)
        if run.experiment.team_id != self.model.team_id and experiments.level_of_run(self.actor, run) < Level.EDIT:
            raise _not_to_lend("run")
        return run

    def lent_model(self, model_id: str) -> LoggedModel:
        model = experiments.get_logged_model(self.actor, model_id)
        if model.experiment.team_id != self.model.team_id:
            try:
                experiments.get_logged_model(self.actor, model_id, Level.EDIT)
            except PermissionDenied as error:
                raise _not_to_lend("logged model") from error
        return model

    def path(self, written: str) -> ArtifactPath:
        try:
            return ArtifactPath.parse(written)
        except InvalidInput as error:
            raise _bad(
                self.source,
                "If supplying a source as an http, https, local file path, ftp, objectstore, or mlflow-artifacts uri, "
                "an absolute path must be provided without relative path references present. Please provide an "
                "absolute path.",
            ) from error

    def same(self, actual: str, written: str) -> None:
        if actual != written:
            raise NotFound("No such artifact folder.")

    def outside(self, parameter: str) -> InvalidInput:
        return _bad(
            self.source, f"The {parameter} request parameter must identify the resource that contains the source."
        )


def _model_instead(run: Run, folder: ArtifactFolder, path: ArtifactPath) -> LoggedModel | None:
    """Clients from 3.0 on keep a run's models beside the run, and still name them by the run and their name."""
    named = LoggedModel.objects.active().filter(source_run_id=run.run_id, name=str(path), experiment=run.experiment_id)
    model = named.select_related("experiment").order_by("-created_ms", "-pk").first()
    return None if model is None or folder.exists(path) else model


def _not_to_lend(what: str) -> PermissionDenied:
    return PermissionDenied(
        f"Permission denied: the {what} belongs to another team, and registering it lends its files to the readers of "
        "this model. That wants the right to edit there."
    )


def _bad(source: str, why: str) -> InvalidInput:
    return InvalidInput(f"Invalid model version source: '{source[:500]}'. {why}")
