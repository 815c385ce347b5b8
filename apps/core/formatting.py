"""Numbers, times and sizes in words, for pages and exports alike."""

from __future__ import annotations

from datetime import UTC, datetime

from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

_SIZES = ("B", "kB", "MB", "GB", "TB", "PB")
_SIGNIFICANT = 5
# What lies so little ahead is called now: clocks differ.
_CLOCKS_DIFFER_S = 5


def as_moment(value: datetime | int | None) -> datetime | None:
    """A moment from milliseconds since the epoch, or as it is. None for none and what no calendar has."""
    if value is None or isinstance(value, datetime):
        return value
    try:
        return datetime.fromtimestamp(value / 1000, UTC)
    except (OverflowError, OSError, ValueError):
        return None


def ago(moment: datetime, now: datetime | None = None) -> str:
    """`just now`, `3 min ago`, `in a moment`, `in 2 h`, or the date where it is more than a month away."""
    seconds = ((now or timezone.now()) - moment).total_seconds()
    amount = abs(seconds)
    if amount < 45:
        return nearly_now(moment, now)
    if amount > 30 * 86_400:
        return moment.strftime("%Y-%m-%d")
    text = _amount(amount)
    return _("%(amount)s ago") % {"amount": text} if seconds > 0 else _("in %(amount)s") % {"amount": text}


def nearly_now(moment: datetime, now: datetime | None = None) -> str:
    """What a moment is called that is less than a minute away: `just now` or `in a moment`."""
    ahead = (moment - (now or timezone.now())).total_seconds()
    return _("in a moment") if ahead > _CLOCKS_DIFFER_S else _("just now")


def _amount(seconds: float) -> str:
    minutes, hours, days = (max(1, round(seconds / size)) for size in (60, 3600, 86_400))
    if seconds < 3570:
        return ngettext("%(n)s min", "%(n)s min", minutes) % {"n": minutes}
    if seconds < 23.5 * 3600:
        return ngettext("%(n)s h", "%(n)s h", hours) % {"n": hours}
    return ngettext("%(n)s day", "%(n)s days", days) % {"n": days}


def duration(milliseconds: int | float | None) -> str:
    """`340 ms`, `4.2 s`, `3 min 12 s`, `2 h 5 min`, `1 d 4 h`; empty for None and for what ended before it began."""
    if milliseconds is None or milliseconds < 0:
        return ""
    if milliseconds < 1000:
        return f"{milliseconds:.0f} ms"
    seconds = milliseconds / 1000
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    for size, unit, smaller, small in ((86_400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= size:
            rest = whole % size // smaller
            return f"{whole // size} {unit} {rest} {small}" if rest else f"{whole // size} {unit}"
    return f"{whole} s"


def short_number(value: float) -> str:
    """A number in at most five significant digits: `0.98667`, `1.25e-7`, `123456`."""
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")) or abs(value) >= 1.7976931348623157e308:
        return "∞" if value > 0 else "-∞"
    if float(value).is_integer() and abs(value) < 1e9:
        return str(int(value))
    if abs(value) >= 10**_SIGNIFICANT and abs(value) < 1e9:
        return f"{value:.0f}"
    return _plain_exponent(f"{value:.{_SIGNIFICANT}g}")


def _plain_exponent(text: str) -> str:
    mantissa, mark, exponent = text.partition("e")
    return f"{mantissa}e{int(exponent)}" if mark else text


def file_size(size: int | float | None) -> str:
    """`0 B`, `512 B`, `1.4 MB` (decimal units); empty for None."""
    if size is None:
        return ""
    amount, place = float(size), 0
    while amount >= 999.5 and place < len(_SIZES) - 1:
        amount /= 1000
        place += 1
    shown = f"{amount:.0f}" if place == 0 or amount >= 99.95 else f"{amount:.1f}"
    return f"{shown.removesuffix('.0')} {_SIZES[place]}"


def count(value: int | None) -> str:
    """A whole number with separators between thousands; empty for None."""
    return "" if value is None else number_format(value, use_l10n=True, force_grouping=True)
