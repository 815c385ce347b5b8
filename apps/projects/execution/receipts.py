"""What guardians leave on disk of commands that have ended of themselves, until their worker has written it down.

A worker that dies in between would have its run done a second time: whoever lives on the same host finishes for it.
"""

from __future__ import annotations

import socket
from contextlib import suppress
from pathlib import Path

from django.conf import settings

from apps.core.actor import Actor
from apps.projects import actions
from apps.projects.actions import Ending, Fenced
from apps.projects.models import ProjectRun, RunState
from apps.runtime.process.identity import is_gone, this_process

_WORDS = "It had finished when its worker died; the last lines of its log may be missing."


def receipt_of(run: ProjectRun) -> Path:
    """The file for this attempt, under this worker; its folder is there."""
    folder = _folder()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder / f"{socket.gethostname()}~{this_process()}~{run.pk}~{run.fence}"


def drop_receipt(run: ProjectRun) -> None:
    """What came of it is written down."""
    receipt_of(run).unlink(missing_ok=True)


def redeem_receipts(actor: Actor) -> int:
    """Finish the runs of workers of this host that died before they could; how many."""
    count = 0
    for path in _folder().glob(f"{socket.gethostname()}~*~*~*"):
        _, process, key, fence = path.name.split("~")
        if fence.isdigit() and is_gone(process):
            # Another thread or worker may be faster.
            with suppress(FileNotFoundError):
                count += _redeemed(actor, int(key), int(fence), path.read_text())
                path.unlink()
    return count


def _redeemed(actor: Actor, key: int, fence: int, code: str) -> bool:
    run = ProjectRun.objects.select_related("team", "project", "run").filter(pk=key, fence=fence).first()
    # What failed is lost, and retried where its policy says so, as it would have been otherwise.
    # Who was asked to end may have ended well, too.
    if run is None or code != "0" or run.cancel_ms is not None:
        return False
    with suppress(Fenced):
        actions.end_attempt(actor, run=run, ending=Ending(RunState.FINISHED, _WORDS, 0))
        return True
    return False


def _folder() -> Path:
    root: Path = settings.DATA.runs
    return root / "receipts"
