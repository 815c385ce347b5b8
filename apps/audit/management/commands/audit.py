from __future__ import annotations

from argparse import ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.audit import heads
from apps.audit.heads import Head
from apps.audit.sealing import newest_head, seal_pending
from apps.audit.verification import Verification
from apps.core.errors import InvalidInput


class Command(BaseCommand):
    help = "The audit log: `audit verify` proves that no row was changed, inserted, taken out or cut off."

    def add_arguments(self, parser: CommandParser) -> None:
        parts = parser.add_subparsers(dest="part", required=True, metavar="verify")
        verify = parts.add_parser("verify", help="seal what is pending, walk the whole chain, exit 1 on any finding")
        verify.add_argument(
            "--head",
            action="append",
            default=[],
            type=_head,
            metavar="SEQ:DIGEST",
            help="a head that the log of slipway.audit.head showed once; may be given several times",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        verification = Verification(options["head"] + _kept())
        seal_pending(thorough=True)
        found = 0
        for finding in verification.findings():
            self.stdout.write(str(finding))
            found += 1
        if found:
            raise CommandError(f"{found} findings in {verification.checked} sealed events.", returncode=1)
        self.stdout.write(f"All {verification.checked} sealed events are as recorded. Head: {newest_head() or 'none'}")


def _head(text: str) -> Head:
    try:
        return Head.parse(text)
    except InvalidInput as error:
        raise ArgumentTypeError(error.message) from error


def _kept() -> list[Head]:
    """Read before sealing, which moves it on."""
    try:
        kept = heads.kept_head()
    except (InvalidInput, OSError, UnicodeDecodeError) as error:
        raise CommandError("The file of the head in the data folder can't be read.", returncode=1) from error
    return [kept] if kept else []
