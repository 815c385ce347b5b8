from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from apps.core.errors import InvalidInput
from apps.projects.cron import Cron, parse_zone, zone_names

BERLIN = "Europe/Berlin"


def times(line: str, zone: str, start: str, count: int = 5) -> list[str]:
    """The next times after a local moment, as a clock on the wall and its offset show them."""
    cron = Cron.parse(line, zone)
    after = datetime.fromisoformat(start).replace(tzinfo=ZoneInfo(zone))
    return [moment.astimezone(cron.zone).strftime("%m-%d %H:%M%z") for moment in cron.times_after(after, count)]


def test_the_next_times() -> None:
    assert times("0 3 * * mon-fri", BERLIN, "2026-12-04T12:00", 3) == [
        "12-07 03:00+0100",
        "12-08 03:00+0100",
        "12-09 03:00+0100",
    ]


def test_the_moment_itself_is_not_after_it() -> None:
    assert times("0 3 * * *", "UTC", "2026-12-04T03:00", 1) == ["12-05 03:00+0000"]


def test_day_of_month_and_day_of_week_both_have_to_match() -> None:
    assert times("0 0 1 * mon", "UTC", "2026-01-01T12:00", 2) == ["06-01 00:00+0000", "02-01 00:00+0000"]


def test_a_leap_day_on_a_monday_is_found_years_ahead() -> None:
    cron = Cron.parse("0 0 29 2 1")
    assert cron.next_after(datetime(2026, 1, 1, tzinfo=UTC)) == datetime(2044, 2, 29, tzinfo=UTC)


def test_a_time_that_does_not_exist_comes_as_long_after_midnight_as_on_other_days() -> None:
    assert times("30 2 * * *", BERLIN, "2026-03-28T12:00", 2) == ["03-29 03:30+0200", "03-30 02:30+0200"]


def test_a_time_that_comes_twice_is_taken_the_first_time() -> None:
    assert times("30 2 * * *", BERLIN, "2026-10-24T12:00", 2) == ["10-25 02:30+0200", "10-26 02:30+0100"]


def test_every_hour_goes_by_the_wall_when_clocks_are_put_back() -> None:
    assert times("*/30 * * * *", BERLIN, "2026-10-25T01:40", 5) == [
        "10-25 02:00+0200",
        "10-25 02:30+0200",
        "10-25 02:00+0100",
        "10-25 02:30+0100",
        "10-25 03:00+0100",
    ]


def test_every_hour_goes_by_the_wall_when_clocks_are_put_forward() -> None:
    assert times("*/30 * * * *", BERLIN, "2026-03-29T01:10", 3) == [
        "03-29 01:30+0100",
        "03-29 03:00+0200",
        "03-29 03:30+0200",
    ]


def test_half_an_hour_of_summer_time() -> None:
    assert times("15 * * * *", "Australia/Lord_Howe", "2026-04-05T00:20", 3) == [
        "04-05 01:15+1100",
        "04-05 02:15+1030",
        "04-05 03:15+1030",
    ]


@pytest.mark.parametrize(
    "zone", [BERLIN, "Australia/Lord_Howe", "America/St_Johns", "Asia/Kathmandu", "Africa/Casablanca"]
)
@pytest.mark.parametrize("line", ["*/20 * * * *", "10 1-3 * * *", "0 0 * * *", "59 23 * * sun"])
def test_looking_back_finds_what_looking_ahead_found(line: str, zone: str) -> None:
    cron = Cron.parse(line, zone)
    at, end = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
    seen = 0
    while (later := cron.next_after(at)) is not None and later < end:
        assert later > at
        assert cron.last_between(at, later) == later
        assert cron.last_between(at, later - timedelta(seconds=1)) is None
        at, seen = later, seen + 1
        if seen > 60:
            at, seen = at + timedelta(days=20), 0


def test_the_latest_of_many_is_found() -> None:
    cron = Cron.parse("0 * * * *")
    after, until = datetime(2020, 1, 1, tzinfo=UTC), datetime(2026, 5, 5, 5, 30, tzinfo=UTC)
    assert cron.last_between(after, until) == datetime(2026, 5, 5, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("", "five fields"),
        ("@daily", "five fields"),
        ("0 3 * *", "five fields"),
        ("0 3 * * * *", "five fields"),
        ("60 * * * *", "minute: '60' is not within 0 and 59"),
        ("* 24 * * *", "hour: '24'"),
        ("* * 0 * *", "day of month: '0' is not within 1 and 31"),
        ("* * * 13 *", "month: '13'"),
        ("* * * * 7", "day of week: '7'"),
        ("mon * * * *", "minute: 'mon' is no minute"),
        ("* * * mon *", "month: 'mon' is no month"),
        ("* * * * may", "day of week: 'may' is no day of week"),
        ("*/0 * * * *", "minute: a step of 0"),
        ("*/90 * * * *", "minute: a step of 90"),
        ("5/10 * * * *", "minute: '5/10': steps are taken of"),
        ("1,,2 * * * *", "minute: ''"),
        ("-1 * * * *", "minute: '-1'"),
        ("1-5;ls * * * *", "minute: '1-5;ls'"),
        ("0 0 31 feb,apr *", "no month named here has such a day"),
        ("٣ * * * *", "minute"),
        ("0 " * 200, "five fields"),
    ],
)
def test_a_wrong_line_says_which_field_is_wrong(line: str, why: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        Cron.parse(line)
    assert why in refused.value.message


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "../etc/passwd", "UTC\x00", "Factory"])
def test_a_wrong_time_zone_is_named(name: str) -> None:
    with pytest.raises(InvalidInput, match=r"^timezone: "):
        parse_zone(name)


def test_zones_begin_with_utc() -> None:
    assert zone_names()[0] == "UTC"
    assert "Europe/Berlin" in zone_names()


def test_what_the_clock_is_told_are_numbers() -> None:
    assert Cron.parse("*/20 8-10 * jan,jul mon-fri").columns() == {
        "minute": "0,20,40",
        "hour": "8,9,10",
        "day_of_month": "*",
        "month_of_year": "1,7",
        "day_of_week": "1,2,3,4,5",
    }


def test_a_line_in_words() -> None:
    assert Cron.parse("0 3 * * mon-fri").in_words() == "At 03:00, Monday through Friday"
