"""Facts that gates judge by changed: open requests about these versions are looked at anew, soon and by a task.

What scripts log into runs says nothing here, since that path has to stay fast; requests whose gates look at runs are
looked at again every minute. An approval looks at all of it anyway.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence

from django.db import transaction
from django.db.models import TextField
from django.db.models.functions import Cast

from apps.core.tasks import do_alone, kick
from apps.experiments.actions import now_ms
from apps.registry import gates
from apps.registry.models import PromotionRequest
from apps.registry.querysets import PromotionRequestQuerySet

BATCH = 50
_KICKED = "registry.gates_kicked"
# A judge that was killed lets go after this long; one that lives is through before.
_LEASE_SECONDS, _RUN_SECONDS = 120, 60.0


def touch(versions: Collection[int]) -> None:
    """Say, in the transaction that changes them, that facts about versions change: their keys. One statement."""
    if PromotionRequest.objects.open().filter(version__in=versions).update(stale_ms=now_ms()):
        judge_soon()


def touch_kind(kind: str) -> None:
    """Say, in the transaction that changes them, that facts changed which one kind of gate judges by. One statement."""
    asking = PromotionRequest.objects.open().annotate(text=Cast("rules", TextField()))
    if asking.filter(text__contains=f'"{kind}"').update(stale_ms=now_ms()):
        judge_soon()


def judge_soon() -> None:
    """Have gates that are stale judged once the transaction is committed."""
    transaction.on_commit(_kick)


def judge_stale() -> int:
    """Judge the gates of open requests that are due; how many requests. What somebody holds now is left for later.

    One judge at a time: another leaves it to the one that is at it.
    """
    return do_alone(_judge_due, _KICKED, seconds=_LEASE_SECONDS)


def _judge_due() -> int:
    judged, ends = 0, time.monotonic() + _RUN_SECONDS
    while time.monotonic() < ends:
        due = PromotionRequest.objects.open().filter(stale_ms__lte=now_ms()).order_by("stale_ms")
        done = _judge(list(due.values_list("pk", flat=True)[:BATCH]))
        judged += done
        if done < BATCH:
            break
    return judged


def _judge(keys: Sequence[int]) -> int:
    """The files are read before the rows are locked, so that no approval waits for a bucket."""
    files = gates.read_files(list(_fetched().filter(pk__in=keys)))
    with transaction.atomic():
        # In no one's way: an approval that holds one of them judges it itself.
        locked = _fetched().open().select_for_update(of=("self",), skip_locked=True, no_key=True)
        found = list(locked.filter(pk__in=keys).order_by("pk"))
        gates.evaluate_many(found, files)
    return len(found)


def _fetched() -> PromotionRequestQuerySet:
    return PromotionRequest.objects.select_related("version__model")


def _kick() -> None:
    from apps.registry.tasks import evaluate_gates

    kick(evaluate_gates, _KICKED)
