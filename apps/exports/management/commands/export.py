from __future__ import annotations

import sqlite3
from argparse import ArgumentParser
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError

from apps.accounts.access import get_team
from apps.accounts.models import DEFAULT_TEAM
from apps.core.actor import system_actor
from apps.core.errors import DomainError
from apps.exports.choosing import choose
from apps.exports.opening import Place, open_target
from apps.exports.running import Outcome, Wishes, run_export
from apps.imports.tally import Tally

_SHOWN = 20
_BROKEN = (OSError, sqlite3.OperationalError, OperationalError, BotoCoreError, ClientError)


class Command(BaseCommand):
    help = "Take all of a team to MLflow: export FOLDER or export http://SERVER [--team TEAM] [--dry-run]"
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("target", help="a new folder, for an `mlruns`; or the http:// address of a server")
        parser.add_argument("--team", default=DEFAULT_TEAM, help="whose (default: %(default)s)")
        for option, words in (
            ("--experiment", "only this experiment, whole; may be repeated"),
            ("--model", "only this registered model, with the runs of its versions; may be repeated"),
        ):
            parser.add_argument(option, action="append", default=[], metavar="NAME", help=words)
        parser.add_argument("--dry-run", action="store_true", help="only say what there is")
        parser.add_argument("--address", default="", help="of `mlruns`, where the folder will be kept elsewhere")
        parser.add_argument("--workspace", default="", help="of a server with several, which one")
        parser.add_argument("--no-artifacts", action="store_true", help="take no files")
        parser.add_argument("--checksums", action="store_true", help="compare files by their content in the end")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._export(options)
        except DomainError as error:
            raise CommandError(error.message, returncode=2) from error
        except _BROKEN as error:
            # A disk that is full, or a service that is gone: the same as for whoever interrupts.
            line = str(error).strip().partition("\n")[0]
            raise CommandError(f"{line}. The same command goes on.", returncode=2) from error
        except KeyboardInterrupt as error:
            raise CommandError("Stopped. The same command goes on.", returncode=130) from error

    def _export(self, options: dict[str, Any]) -> None:
        actor = system_actor("export")
        team = get_team(actor, options["team"])
        actor = actor.speaking_for(team.pk)
        chosen = choose(actor, team, options["experiment"], options["model"])
        self.stdout.write("Here:")
        for kind, count in chosen.counts().items():
            self.stdout.write(f"{count:>14,} {kind}")
        outcome = Outcome(Tally(self._say))
        place = Place(options["target"], options["address"], options["workspace"])
        target = open_target(place, outcome.tally)
        if options["dry_run"]:
            self.stdout.write("Nothing was written: this was a dry run.")
            return
        try:
            wishes = Wishes(not options["no_artifacts"], contents=options["checksums"])
            run_export(actor, chosen, target, outcome, wishes)
        finally:
            target.close()
        self._tell(outcome, target.notes)

    def _tell(self, outcome: Outcome, notes: Any) -> None:
        tally = outcome.tally
        for title, counter in (
            ("Written", tally.brought),
            ("Was there", tally.there),
            ("Compared", tally.compared),
        ):
            listed = ", ".join(f"{count:,} {kind}" for kind, count in counter.items() if count)
            self.stdout.write(f"{title}: {listed or 'nothing'}.")
        self._tell_speed(outcome)
        for note in notes:
            self.stdout.write(note)
        for line in outcome.differences[:_SHOWN]:
            self._say(f"differs: {line}")
        if not outcome.is_whole:
            raise CommandError(
                f"{len(tally.problems)} things were left out, and {len(outcome.differences)} differ. What went on "
                "meanwhile is brought by the same command.",
                returncode=1,
            )
        self.stdout.write("All of it is there: nothing differs.")

    def _tell_speed(self, outcome: Outcome) -> None:
        points, size = outcome.tally.brought["metric points"], outcome.tally.brought["bytes"]
        files = outcome.seconds.get("files", 0.0)
        rows = outcome.seconds["writing"] - files
        if points:
            self.stdout.write(f"Rows took {rows:.1f} s: {points / max(rows, 0.001):,.0f} points a second.")
        if size:
            self.stdout.write(f"Files took {files:.1f} s: {size / max(files, 0.001) / 1e6:,.1f} MB a second.")

    def _say(self, line: str) -> None:
        self.stderr.write(line)
