from __future__ import annotations  # noqa: N999

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.accounts.access import get_team
from apps.accounts.models import DEFAULT_TEAM
from apps.core.actor import system_actor
from apps.core.errors import DomainError
from apps.imports.places import find_places
from apps.imports.running import Outcome, run_import
from apps.imports.sources.base import Counts
from apps.imports.sources.opening import open_source

_SHOWN = 20


class Command(BaseCommand):
    help = "Bring an MLflow store over: import SOURCE [--team TEAM] [--dry-run]; again brings what is missing"
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("source", help="mlflow.db, a folder mlruns, or sqlite://, postgresql://, http:// …")
        parser.add_argument("--team", default=DEFAULT_TEAM, help="whose it becomes (default: %(default)s)")
        parser.add_argument("--dry-run", action="store_true", help="only say what there is")
        parser.add_argument("--workspace", default="", help="of a store with several, which one")
        parser.add_argument(
            "--artifacts",
            action="append",
            default=[],
            metavar="[OLD=]FOLDER",
            help="a folder or s3://bucket/prefix where its files may be read; may be repeated",
        )
        parser.add_argument("--no-artifacts", action="store_true", help="bring no files")
        parser.add_argument("--checksums", action="store_true", help="compare files by their content in the end")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._import(options)
        except DomainError as error:
            raise CommandError(error.message, returncode=2) from error
        except KeyboardInterrupt as error:
            line = "Stopped. What is here is whole; the same command goes on."
            raise CommandError(line, returncode=130) from error

    def _import(self, options: dict[str, Any]) -> None:
        actor = system_actor("import")
        actor = actor.speaking_for(get_team(actor, options["team"]).pk)
        opened = open_source(options["source"], workspace=options["workspace"])
        source = opened.source
        self._tell_counts(source.counts())
        trees = None if options["no_artifacts"] else opened.trees
        if trees is None and not options["no_artifacts"]:
            trees = find_places(source.locations(), options["artifacts"], opened.beside)
        if options["dry_run"]:
            self.stdout.write("Nothing was brought over: this was a dry run.")
            return
        self._tell(run_import(actor, source, trees, self._say, contents=options["checksums"]))

    def _tell_counts(self, counts: Counts) -> None:
        self.stdout.write("There:")
        for kind, count in counts.kinds.items():
            self.stdout.write(f"{count:>14,} {kind}")
        for kind, count in counts.left.items():
            self.stdout.write(f"{count:>14,} {kind}, which Slipway does not keep: left out")

    def _tell(self, outcome: Outcome) -> None:
        tally = outcome.tally
        self.stdout.write("Experiments, there and here:")
        for each in tally.mapped:
            self.stdout.write(
                f"{each.old_id:>20} -> {each.new_id:<6} {each.name}{'' if each.was_made else ' (was here)'}"
            )
        for title, counter in (
            ("Brought over", tally.brought),
            ("Was here", tally.there),
            ("Compared", tally.compared),
        ):
            listed = ", ".join(f"{count:,} {kind}" for kind, count in counter.items() if count)
            self.stdout.write(f"{title}: {listed or 'nothing'}.")
        seconds = outcome.seconds["rows"]
        points = tally.brought["metric points"]
        if points:
            self.stdout.write(f"Rows took {seconds:.1f} s: {points / max(seconds, 0.001):,.0f} points a second.")
        for line in outcome.differences[:_SHOWN]:
            self._say(f"differs: {line}")
        if not outcome.is_whole:
            raise CommandError(
                f"{len(tally.problems)} things were left out, and {len(outcome.differences)} differ. What is here is "
                "whole; import again when the causes are gone.",
                returncode=1,
            )
        self.stdout.write("All of it is here: nothing differs.")

    def _say(self, line: str) -> None:
        self.stderr.write(line)
