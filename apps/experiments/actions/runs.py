from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from functools import partial
from typing import Any

from django.db import IntegrityError, connection, transaction

from apps.audit.actions import Subject, record
from apps.audit.codes import EventCode
from apps.core.actor import Actor
from apps.core.errors import InvalidInput
from apps.core.mlflow.wire import missing_value
from apps.experiments import events, holds, live
from apps.experiments.access import require_active, require_active_experiment
from apps.experiments.actions.common import Pair, now_ms
from apps.experiments.holds import Things
from apps.experiments.ingest import RUN_NAME_TAG, parent_of, with_retries
from apps.experiments.limits import MAX_KEY_LENGTH, MAX_RUN_NAME_LENGTH, MAX_TAG_LENGTH, check_length
from apps.experiments.models import Experiment, Run, RunCreation, RunStatus, RunTag
from apps.experiments.run_names import random_run_name
from apps.experiments.runs_postgres import insert_run

REPLAY_MS = 24 * 60 * 60 * 1000


def create_run(
    actor: Actor,
    *,
    experiment: Experiment,
    name: str,
    user_name: str,
    start_ms: int,
    tags: Iterable[Pair] = (),
    idempotency_key: str = "",
    status: RunStatus = RunStatus.RUNNING,
) -> Run:
    """A new run, running unless said otherwise, or the one that the same actor made with the same key within a day."""
    require_active_experiment(experiment)
    all_tags = _checked_tags(tags)
    run = Run(
        run_id=uuid.uuid4().hex,
        experiment=experiment,
        name=_agreed_name(name, all_tags),
        status=status,
        user_name=user_name,
        owner_id=actor.user_id,
        start_ms=start_ms,
        parent_run_id=parent_of(all_tags),
    )
    all_tags[RUN_NAME_TAG] = run.name
    check_length("user_id", user_name, 256)
    if idempotency_key and actor.user_id is not None:
        return _create_once(actor.user_id, run, all_tags, idempotency_key)
    return with_retries(lambda: _insert(run, all_tags))


def update_run(
    actor: Actor, *, run: Run, status: RunStatus | None = None, end_ms: int | None = None, name: str = ""
) -> Run:
    """Change what is given; an empty name is no name."""
    require_active(run)
    check_length("run_name", name, MAX_RUN_NAME_LENGTH)
    changes = {"status": status, "end_ms": end_ms, "name": name or None}
    changes = {field: value for field, value in changes.items() if value is not None}
    if not changes:
        return run
    with_retries(lambda: _update(run, changes))
    for field, value in changes.items():
        setattr(run, field, value)
    return run


def settle_run(actor: Actor, *, run: Run, status: RunStatus, end_ms: int | None) -> None:
    """Say how a run stands whose process the server follows; in the trash too, for it may come back from there."""
    with_retries(lambda: _update(run, {"status": status, "end_ms": end_ms}))


def delete_run(actor: Actor, *, run: Run) -> None:
    """Put a run into the trash. Twice changes nothing. Raises `Conflict` where a version stands on it."""
    holds.require_free(Things(runs=(run.pk,)), "deleted")
    _move(actor, run, deleted_ms=now_ms(), code=events.RUN_DELETED)


def restore_run(actor: Actor, *, run: Run) -> None:
    """Take a run out of the trash. One that isn't there stays as it is."""
    _move(actor, run, deleted_ms=None, code=events.RUN_RESTORED)


def _update(run: Run, changes: Mapping[str, Any]) -> None:
    """The tag before the run: in the order in which logging a tag locks them."""
    # One statement alone is a transaction without being told.
    with transaction.atomic() if "name" in changes else nullcontext():
        if "name" in changes:
            RunTag.objects.bulk_create(
                [RunTag(run=run, key=RUN_NAME_TAG, value=changes["name"])],
                update_conflicts=True,
                unique_fields=["run", "key"],
                update_fields=["value"],
            )
        Run.objects.filter(pk=run.pk).update(**changes)
        transaction.on_commit(partial(live.touch, run.run_id, "status"))


def _move(actor: Actor, run: Run, *, deleted_ms: int | None, code: EventCode) -> None:
    team = run.experiment.team
    with transaction.atomic():
        still = Run.objects.filter(pk=run.pk, deleted_ms__isnull=deleted_ms is not None)
        if not still.update(deleted_ms=deleted_ms):
            return
        record(actor, code, Subject("run", run.run_id, run.name, team.pk, team.name))
        transaction.on_commit(partial(live.touch, run.run_id, "status"))
    run.deleted_ms = deleted_ms


def _checked_tags(tags: Iterable[Pair]) -> dict[str, str]:
    """As the protocol's server, this call takes any characters in keys, where setting a tag later does not."""
    checked = {}
    for index, (key, value) in enumerate(tags):
        if not key:
            raise missing_value(f"tags[{index}].key")
        check_length(f"tags[{index}].key", key, MAX_KEY_LENGTH)
        checked[key] = value[:MAX_TAG_LENGTH]
    return checked


def _agreed_name(name: str, tags: dict[str, str]) -> str:
    by_tag = tags.get(RUN_NAME_TAG, "")
    if name and by_tag and name != by_tag:
        raise InvalidInput(
            "Both 'run_name' argument and 'mlflow.runName' tag are specified, but with "
            f"different values (run_name='{name}', mlflow.runName='{by_tag}')."
        )
    agreed = name or by_tag or random_run_name()
    check_length("run_name", agreed, MAX_RUN_NAME_LENGTH)
    return agreed


def _insert(run: Run, tags: dict[str, str]) -> Run:
    if connection.vendor == "postgresql":
        insert_run(run, tags)
    else:
        with transaction.atomic():
            run.save(force_insert=True)
            RunTag.objects.bulk_create(RunTag(run=run, key=key, value=value) for key, value in tags.items())
    run.made_with = tags
    transaction.on_commit(partial(live.touch, run.run_id, "status"))
    return run


def _create_once(owner_id: int, run: Run, tags: dict[str, str], key: str) -> Run:
    check_length("Idempotency-Key", key, 255)
    now = now_ms()
    made = RunCreation.objects.filter(owner_id=owner_id, key=key)
    try:
        with transaction.atomic():
            RunCreation.objects.filter(owner_id=owner_id, created_ms__lt=now - REPLAY_MS).delete()
            existing = made.select_related("run__experiment").first()
            if existing is None:
                _insert(run, tags)
                RunCreation.objects.create(owner_id=owner_id, key=key, run=run, created_ms=now)
                return run
    except IntegrityError:
        # The same call arrived twice at once, and the other one was first.
        existing = made.select_related("run__experiment").first()
        if existing is None:
            raise
    if existing.run.experiment_id != run.experiment_id:
        raise InvalidInput("This Idempotency-Key was used to create a run of another experiment.")
    return existing.run
