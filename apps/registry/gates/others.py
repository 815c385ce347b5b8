"""What other apps know of versions: project runs, builds. An app says for its kind of gate how versions are judged.

An app calls `register_judge` when it is ready, so that none above this one is imported. What nobody judges, waits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from apps.registry.gates.base import Params, Verdict
from apps.registry.models import ModelVersion

Asked = tuple[ModelVersion, Params]
# The stamp of a version's files as they are now (`apps.registry.stamps`), which may be read once for many. It raises
# `Unavailable` where the store is away.
Stamp = Callable[[ModelVersion], str]
# For each that is asked, in their order, in a constant number of statements. Versions come with their models.
Judge = Callable[[Sequence[Asked], Stamp], Sequence[Verdict]]

_JUDGES: dict[str, Judge] = {}


def register_judge(kind: str, judge: Judge) -> None:
    """Let an app judge one kind of gate."""
    _JUDGES[kind] = judge


def verdicts(kind: str, asked: Sequence[Asked], stamp: Stamp) -> Sequence[Verdict]:
    """What the app that knows says; empty where none is there."""
    judge = _JUDGES.get(kind)
    return judge(asked, stamp) if judge else []
