from __future__ import annotations

from argparse import ArgumentParser
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.accounts.models import DEFAULT_TEAM
from apps.core.actor import system_actor
from apps.core.errors import DomainError, InvalidInput
from apps.registry.access import no_model
from apps.registry.models import Placement, RegisteredModel
from apps.registry.selectors import history
from apps.registry.stages import Slot

Span = tuple[int, int]


class Command(BaseCommand):
    help = "What is in production, or was: in_production MODEL [--at DATE] [--stage S | --alias A]"
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("model", help="NAME, or TEAM/NAME; also a name that a model had then")
        parser.add_argument("--at", metavar="DATE", help="a day or a moment: 2026-11-23, 2026-11-23T14:00Z; else now")
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--stage", default="Production")
        which.add_argument("--alias")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            slot = Slot.alias(options["alias"]) if options["alias"] else Slot.stage(options["stage"])
            self._show(options["model"], slot, options["at"])
        except DomainError as error:
            raise CommandError(error.message) from error

    def _show(self, model: str, slot: Slot, at: str | None) -> None:
        team, name = _found(model)
        start, end = _span(at)
        rows = list(history.of_name(system_actor("console"), team, name, slot, start, end))
        when = f"on {at}" if at else "now"
        self.stdout.write(f"{slot} of {team}/{name} {when}:" if rows else f"Nothing in {slot} of {team}/{name} {when}.")
        for row in rows:
            self.stdout.write(f"  {_line(row)}")


def _found(model: str) -> tuple[str, str]:
    """Team and name. Raises `NotFound`, or `InvalidInput` where several teams have a model of the name."""
    team, slash, name = model.rpartition("/")
    if slash:
        teams = [team] if _is_known(team, name) else []
    else:
        of_models = RegisteredModel.objects.filter(name=name).values_list("team__name", flat=True)
        of_rows = Placement.objects.filter(model_name=name, team__isnull=False).values_list("team__name", flat=True)
        teams = sorted({*of_models, *of_rows.distinct()})
    if not teams:
        raise no_model(name)
    if len(teams) > 1 and DEFAULT_TEAM not in teams:
        raise InvalidInput(f"Several teams have a model named {name}; say TEAM/NAME: {', '.join(teams)}.")
    return (DEFAULT_TEAM if DEFAULT_TEAM in teams else teams[0]), name


def _is_known(team: str, name: str) -> bool:
    of_rows = Placement.objects.filter(team__name=team, model_name=name)
    return RegisteredModel.objects.filter(team__name=team, name=name).exists() or of_rows.exists()


def _span(at: str | None) -> Span:
    """The moments meant, first and last: a whole day where it is a date alone. Times without a zone are UTC."""
    if at is None:
        now = _ms(datetime.now(UTC))
        return now, now
    try:
        day = datetime.combine(date.fromisoformat(at), datetime.min.time(), UTC)
        return _ms(day), _ms(day + timedelta(days=1)) - 1
    except (ValueError, OverflowError):
        moment = _ms(_moment(at))
        return moment, moment


def _moment(at: str) -> datetime:
    try:
        parsed = datetime.fromisoformat(at)
    except ValueError as error:
        raise InvalidInput(f"--at: '{at[:50]}' is no date; write 2026-11-23 or 2026-11-23T14:00Z.") from error
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def _line(row: Placement) -> str:
    until = f" until {_when(row.until_ms)}" if row.until_ms is not None else ""
    ground = f", request {row.request_id}" if row.request_id else ", past the policy" if row.is_override else ""
    said = f": {row.entered_note}" if row.entered_note else ""
    return f"version {row.number} since {_when(row.from_ms)}{until}, by {row.entered_by}{ground}{said}"


def _when(moment_ms: int) -> str:
    return f"{datetime.fromtimestamp(moment_ms / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
