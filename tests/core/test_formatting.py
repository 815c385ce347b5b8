from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from apps.core import formatting

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (10, "just now"),
        (-2, "just now"),
        (-30, "in a moment"),
        (180, "3 min ago"),
        (7200, "2 h ago"),
        (86_400 * 3, "3 days ago"),
        (-600, "in 10 min"),
        (86_400 * 60, "2026-09-25"),
    ],
)
def test_ago(seconds: int, text: str) -> None:
    assert formatting.ago(NOW - timedelta(seconds=seconds), NOW) == text


@pytest.mark.parametrize(
    ("ms", "text"),
    [(None, ""), (-5, ""), (340, "340 ms"), (4200, "4.2 s"), (61_000, "1 min 1 s"), (7_500_000, "2 h 5 min")],
)
def test_duration(ms: int | None, text: str) -> None:
    assert formatting.duration(ms) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.98666666, "0.98667"),
        (1.25e-7, "1.25e-7"),
        (3.0, "3"),
        (123456.7, "123457"),
        (float("nan"), "NaN"),
        (1.7976931348623157e308, "∞"),
        (float("-inf"), "-∞"),
    ],
)
def test_short_number(value: float, text: str) -> None:
    assert formatting.short_number(value) == text


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 B"), (999, "999 B"), (1400, "1.4 kB"), (999_999, "1 MB"), (None, "")]
)
def test_file_size(size: int | None, text: str) -> None:
    assert formatting.file_size(size) == text


def test_a_moment_that_no_calendar_has_is_none() -> None:
    assert formatting.as_moment(2**62) is None
