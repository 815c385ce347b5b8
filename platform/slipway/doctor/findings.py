"""What a check found."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import msgspec


class Level(StrEnum):
    """`fail` is what has to be put right, `warn` what should be looked at."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


class Finding(msgspec.Struct, frozen=True):
    """One line: the part, how it is, and what to do."""

    part: str
    level: Level
    message: str
    advice: str = ""


def ok(part: str, message: str) -> Finding:
    """All is well."""
    return Finding(part, Level.OK, message)


def warn(part: str, message: str, advice: str) -> Finding:
    """It works, and may not be what is wanted."""
    return Finding(part, Level.WARN, message, advice)


def fail(part: str, message: str, advice: str) -> Finding:
    """Something does not work."""
    return Finding(part, Level.FAIL, message, advice)


def worst(findings: Sequence[Finding]) -> str:
    """`ok`, `warn` or `fail`."""
    levels = {str(finding.level) for finding in findings}
    return next((level for level in ("fail", "warn") if level in levels), "ok")
