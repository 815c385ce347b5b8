"""The log of a run, as its page begins with it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from django import template

from apps.projects.models import ProjectRun
from apps.projects.selectors.log_news import end_of_log

register = template.Library()

_COLOUR = re.compile(r"\x1b\[[0-9;:]*m")


@dataclass(frozen=True, slots=True)
class ShownLog:
    """The log's end: as the page's script takes it, and as text without colours for who has no scripts.

    `skipped`: how many lines come before. `is_lost`: there was a log, and its file is not there any more.
    """

    begins: dict[str, Any]
    text: str
    skipped: int
    is_lost: bool


@register.simple_tag
def log_of(run: ProjectRun) -> ShownLog:
    """What the page of a run begins with. One statement at most."""
    begins = end_of_log(run)
    is_lost = run.log_stored and not begins["text"]
    skipped = 0 if is_lost else begins["line"] - 1
    return ShownLog(begins, _COLOUR.sub("", begins["text"]), skipped, is_lost)
