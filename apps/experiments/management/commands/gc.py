from __future__ import annotations

import argparse
import re
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.core.actor import system_actor
from apps.experiments import actions
from apps.experiments.artifacts.leftovers import remove_leftovers

_UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}


class Command(BaseCommand):
    help = "Remove for good what is in the trash: rows first, then files. Goes on where an earlier call stopped."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--older-than", type=_milliseconds, default=0, help="for example 30d or 1d12h")
        parser.add_argument("--dry-run", action="store_true", help="only say what would go")
        parser.add_argument("--run-ids", type=_names, default=[], help="these runs, separated by commas")
        parser.add_argument("--experiment-ids", type=_names, default=[], help="these experiments, with all in them")

    def handle(self, **options: Any) -> None:
        wanted = actions.Wanted(
            before_ms=actions.now_ms() - options["older_than"],
            run_ids=options["run_ids"],
            experiment_ids=options["experiment_ids"],
        )
        gone, failed = 0, 0
        for outcome in actions.empty_trash(system_actor(), wanted=wanted, dry_run=options["dry_run"]):
            failed, gone = failed + bool(outcome.error), gone + (not outcome.error)
            self.stdout.write(f"{outcome.kind} {outcome.id}{': ' if outcome.error else ''}{outcome.error}")
        if not options["dry_run"]:
            remove_leftovers()
        self.stdout.write(f"{'would remove' if options['dry_run'] else 'removed'} {gone}, failed {failed}")
        if failed:
            raise CommandError(f"{failed} could not be removed.")


def _milliseconds(text: str) -> int:
    if not re.fullmatch(r"(?:\d{1,6}[dhms])+", text):
        raise argparse.ArgumentTypeError("a time like 30d or 1d12h is wanted")
    parts = {_UNITS[unit]: int(number) for number, unit in re.findall(r"(\d+)([dhms])", text)}
    return int(timedelta(**parts).total_seconds() * 1000)


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]
