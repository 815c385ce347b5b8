"""Cron lines: read with Celery's own parser, and turned into moments by these rules.

A day has to match the day of month, the month and the day of week, all three. A time that a change of clocks leaves out
is taken as long after midnight as on other days: 02:30 is 03:30 then. A time that comes twice is taken the first time.
A line whose hour is every hour goes by the clock on the wall instead: what is left out is left out, and what comes
twice is taken twice, so that "every 15 minutes" stays that.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import cron_descriptor
from celery.schedules import crontab
from django.utils.translation import get_language, to_locale

from apps.core.errors import InvalidInput

MAX_CRON = 200
# No line is so rare that it comes more seldom: 29 February on a certain day of week is at most 40 years away.
_LONGEST = timedelta(days=366 * 41)
_FIRST_WINDOW, _WIDEST_WINDOW = timedelta(hours=3), timedelta(days=366)
_NAMES = ("minute", "hour", "day of month", "month", "day of week")
# How many values each has, and the least of them.
_SPANS = ((60, 0), (24, 0), (31, 1), (12, 1), (7, 0))
_PART = re.compile(r"(?:\*|[0-9]{1,2}|[A-Za-z]{3,9})(?:-(?:[0-9]{1,2}|[A-Za-z]{3,9}))?(?:/[0-9]{1,2})?")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
# Not places, though the system lists them.
_NO_ZONES = {"Factory", "localtime", "posixrules"}


@dataclass(frozen=True, slots=True)
class Cron:
    """A cron line in a time zone. Moments are UTC."""

    text: str
    zone: ZoneInfo
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]

    @classmethod
    def parse(cls, text: str, timezone: str = "UTC") -> Cron:
        """A line of five fields. Raises `InvalidInput` that names the field that is wrong."""
        fields = text.split()
        if len(text) > MAX_CRON or len(fields) != len(_NAMES):
            wanted = "five fields are wanted, minute, hour, day of month, month and day of week"
            raise InvalidInput(f"cron: {wanted}, such as '0 3 * * mon-fri'.")
        values = [_values(place, field) for place, field in enumerate(fields)]
        try:
            crontab(minute=fields[0], hour=fields[1], day_of_month=fields[2], month_of_year=fields[3])
        except ValueError as error:
            raise InvalidInput("cron: day of month: no month named here has such a day.") from error
        return cls(" ".join(fields), parse_zone(timezone), *values)

    def next_after(self, moment: datetime) -> datetime | None:
        """The first time after `moment`; None where none comes."""
        return next(iter(self.times_after(moment, 1)), None)

    def times_after(self, moment: datetime, count: int) -> list[datetime]:
        """The first `count` times after `moment`, in order."""
        found: list[datetime] = []
        low, window = moment, _FIRST_WINDOW
        while len(found) < count and low < moment + _LONGEST:
            found += self._between(low, low + window)
            low, window = low + window, min(window * 2, _WIDEST_WINDOW)
        return found[:count]

    def last_between(self, after: datetime, until: datetime) -> datetime | None:
        """The latest time that is later than `after` and not later than `until`; None where there is none."""
        high, window = until, _FIRST_WINDOW
        while high > after:
            low = max(after, high - window)
            if found := self._between(low, high):
                return found[-1]
            high, window = low, min(window * 2, _WIDEST_WINDOW)
        return None

    def columns(self) -> dict[str, str]:
        """As the tables of django-celery-beat take it: numbers alone, which leave nothing to read otherwise."""
        read = (self.minutes, self.hours, self.days, self.months, self.weekdays)
        names = ("minute", "hour", "day_of_month", "month_of_year", "day_of_week")
        return {
            name: "*" if len(values) == size else ",".join(map(str, sorted(values)))
            for name, values, (size, _least) in zip(names, read, _SPANS, strict=True)
        }

    def in_words(self) -> str:
        """The line as a sentence, in the language of the page where there are words for it."""
        options: Any = cron_descriptor.Options()
        options.use_24hour_time_format = True
        options.locale_code = to_locale(get_language() or "en")
        try:
            return str(cron_descriptor.get_description(self.text, options))
        except Exception:  # noqa: BLE001 - a line that it has no words for is shown as it is
            return self.text

    def _between(self, low: datetime, high: datetime) -> list[datetime]:
        """Those in (low, high]."""
        # More on both sides than clocks are put forward or back.
        first, last = _wall(low, self.zone) - timedelta(hours=3), _wall(high, self.zone) + timedelta(hours=3)
        found = {
            moment
            for day in self._days(first.date(), last.date())
            for hour in self.hours
            if first - timedelta(hours=1) <= datetime.combine(day, time(hour)) <= last
            for minute in self.minutes
            for moment in self._moments(datetime.combine(day, time(hour, minute)))
            if low < moment <= high
        }
        return sorted(found)

    def _days(self, first: date, last: date) -> list[date]:
        days = (first + timedelta(days=n) for n in range((last - first).days + 1))
        return [
            day
            for day in days
            if day.month in self.months and day.day in self.days and day.isoweekday() % 7 in self.weekdays
        ]

    def _moments(self, wall: datetime) -> list[datetime]:
        """When a clock on the wall shows it, by the rules of this module."""
        first = wall.replace(tzinfo=self.zone).astimezone(UTC)
        if len(self.hours) < 24:
            return [first]
        second = wall.replace(tzinfo=self.zone, fold=1).astimezone(UTC)
        return [first, second] if _wall(first, self.zone) == wall else []


def parse_zone(name: str) -> ZoneInfo:
    """A time zone by its name. Raises `InvalidInput`."""
    if name not in zone_names():
        raise InvalidInput(f"timezone: there is no time zone {name[:64]!r}; one such as 'Europe/Berlin' is wanted.")
    return ZoneInfo(name)


@cache
def zone_names() -> tuple[str, ...]:
    """All time zones, by name: UTC first."""
    return ("UTC", *sorted(available_timezones() - _NO_ZONES - {"UTC"}))


def _wall(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None)


def _values(place: int, field: str) -> frozenset[int]:
    size, least = _SPANS[place]
    for part in field.split(","):
        _check(place, part)
    try:
        read = crontab(**{_CELERY[place]: field})
    except ValueError as error:
        raise _wrong(place, f"{field!r} is not within {least} and {least + size - 1}") from error
    return frozenset(getattr(read, _CELERY[place]))


_CELERY = ("minute", "hour", "day_of_month", "month_of_year", "day_of_week")


def _check(place: int, part: str) -> None:
    """What Celery's parser takes and few would mean: steps beyond the field, days as minutes, and what follows."""
    size, _least = _SPANS[place]
    if not _PART.fullmatch(part):
        raise _wrong(place, f"{part!r} can't be read")
    words, _slash, step = part.partition("/")
    if step and not 0 < int(step) < size:
        raise _wrong(place, f"a step of {step} leaves nothing to step to")
    if step and "-" not in words and words != "*":
        raise _wrong(place, f"{part!r}: steps are taken of '*' or of a range")
    known = {3: _MONTHS, 4: _DAYS}.get(place, ())
    for word in re.findall(r"[A-Za-z]+", words):
        if word[:3].lower() not in known:
            raise _wrong(place, f"{word!r} is no {_NAMES[place]}")


def _wrong(place: int, why: str) -> InvalidInput:
    size, least = _SPANS[place]
    allowed = f"0 (Sunday) to 6, or {_DAYS[0]} to {_DAYS[-1]}" if place == 4 else f"{least} to {least + size - 1}"
    return InvalidInput(f"cron: {_NAMES[place]}: {why}; it takes {allowed}, lists, ranges, * and steps.")
