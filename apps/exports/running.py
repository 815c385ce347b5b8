"""One export from its beginning to its end, and what is told of it."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from apps.core.actor import Actor
from apps.experiments.foreign import ForeignLoggedModel
from apps.experiments.models import Experiment
from apps.exports import actions
from apps.exports.choosing import Chosen
from apps.exports.copying import compare_files, copy_files
from apps.exports.progress import Bar
from apps.exports.reading import chunks, experiment_of, logged_models_of, paged, registered_model_of, runs_of
from apps.exports.targets import Going, Names, Target
from apps.imports.tally import Tally

_MODELS = 500
_COPY = re.compile(r"models:/(?!m-[0-9a-f]{32}$)")


@dataclass(slots=True)
class Outcome:
    """What was done, what differs in the end, and how long each part took."""

    tally: Tally
    differences: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def is_whole(self) -> bool:
        """All of what was chosen is there."""
        return not self.differences and not self.tally.problems


@dataclass(frozen=True, slots=True)
class Wishes:
    """Whether files are taken too, and compared by their content."""

    files: bool = True
    contents: bool = False


def run_export(actor: Actor, chosen: Chosen, target: Target, outcome: Outcome, wishes: Wishes) -> None:
    """Experiment by experiment, then the registry, which stands on all of them; then all is compared.

    The first event is written before anything leaves, and before the target is asked by names whether it can be one.
    Raises `BadTarget`; the same call goes on.
    """
    manifest = {"team": chosen.team.name, **chosen.asked, "files": wishes.files}
    named = Names([each.name for each in chosen.experiments], [each.name for each in chosen.models])
    actions.begin_export(actor, team=chosen.team, place=target.label, chosen=manifest)
    target.open(manifest, named)
    runs = chosen.counts()["runs"]
    with _timed(outcome, "writing"), Bar("writing", runs, outcome.tally) as bar:
        for experiment in chosen.experiments:
            _put(experiment, chosen, target, outcome, wishes, bar)
    models = [registered_model_of(model) for model in chosen.models]
    # What was copied from another version is registered after that one.
    for going in sorted(models, key=lambda each: any(_COPY.match(version.source) for version in each.model.versions)):
        target.put_model(going)
    with _timed(outcome, "comparing"), Bar("comparing", runs, outcome.tally) as bar:
        for experiment in chosen.experiments:
            _verify(experiment, chosen, target, outcome, wishes, bar)
    outcome.differences += target.verify_models(models)
    told = {"left_out": len(outcome.tally.problems), "differ": len(outcome.differences)}
    done = {"exported": dict(outcome.tally.brought), **told}
    actions.end_export(actor, team=chosen.team, place=target.label, done=done)


def _put(experiment: Experiment, chosen: Chosen, target: Target, outcome: Outcome, wishes: Wishes, bar: Bar) -> None:
    foreign = experiment_of(experiment)
    target.put_experiment(foreign)
    for going in _goings(experiment, chosen):
        target.put_runs(foreign, going)
        bar.add(len(going))
    for models in _logged_models(experiment, chosen):
        target.put_logged_models(foreign, models)
    if wishes.files:
        began = time.monotonic()
        copy_files(chosen, experiment, target, outcome.tally)
        outcome.seconds["files"] = outcome.seconds.get("files", 0.0) + time.monotonic() - began
    for going in _goings(experiment, chosen):
        target.end_runs(foreign, going)
    target.end_experiment(foreign)


def _verify(experiment: Experiment, chosen: Chosen, target: Target, outcome: Outcome, wishes: Wishes, bar: Bar) -> None:
    foreign = experiment_of(experiment)
    for going in _goings(experiment, chosen):
        outcome.differences += target.verify_runs(foreign, going)
        bar.add(len(going))
    for models in _logged_models(experiment, chosen):
        outcome.differences += target.verify_logged_models(foreign, models)
    if wishes.files:
        outcome.differences += compare_files(chosen, experiment, target, outcome.tally, contents=wishes.contents)


def _goings(experiment: Experiment, chosen: Chosen) -> Iterator[list[Going]]:
    for chunk in chunks(paged(chosen.runs(experiment))):
        yield [Going(run, foreign, chunk[run]) for run, foreign in zip(chunk, runs_of(list(chunk)), strict=True)]


def _logged_models(experiment: Experiment, chosen: Chosen) -> Iterator[list[ForeignLoggedModel]]:
    ids = list(chosen.logged_models(experiment).values_list("pk", flat=True))
    for start in range(0, len(ids), _MODELS):
        some = chosen.logged_models(experiment).filter(pk__in=ids[start : start + _MODELS])
        yield logged_models_of(some.prefetch_related("params", "tags"))


@contextmanager
def _timed(outcome: Outcome, name: str) -> Iterator[None]:
    began = time.monotonic()
    yield
    outcome.seconds[name] = time.monotonic() - began
