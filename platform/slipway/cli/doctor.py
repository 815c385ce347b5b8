"""`slipway doctor`: whether all is well here, and what to do where it isn't."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from slipway import env

if TYPE_CHECKING:
    from slipway.doctor.findings import Finding

_WIDTH = 12


def main(arguments: Sequence[str]) -> int:
    """Look at all parts; 1 where one fails."""
    options = _parser().parse_args(arguments)
    # What the checks find is told below, once.
    os.environ.setdefault("SLIPWAY_LOG_LEVEL", "CRITICAL")
    return _as_json() if options.json else _as_text()


def _examine() -> Iterable[Finding]:
    import django
    from django.conf import settings

    from slipway.doctor.findings import fail

    try:
        # One connection is enough, and without a pool it says at once why there is none.
        settings.DATABASES["default"]["OPTIONS"].pop("pool", None)
        django.setup()
    except env.WrongSetting as error:
        return [fail("settings", str(error), "docs/guides/configuration.md has all settings")]
    from slipway.doctor.examination import examine

    return examine()


def _as_text() -> int:
    failed = 0
    for finding in _examine():
        failed += finding.level == "fail"
        sys.stdout.write(f"{finding.level:<5} {finding.part:<{_WIDTH}} {finding.message}\n")
        if finding.advice:
            sys.stdout.write(f"{'':<5} {'':<{_WIDTH}} -> {finding.advice}\n")
        sys.stdout.flush()
    return 1 if failed else 0


def _as_json() -> int:
    import msgspec

    findings = list(_examine())
    from slipway.doctor.findings import worst

    status = worst(findings)
    body = msgspec.json.format(msgspec.json.encode({"status": status, "checks": findings}), indent=2)
    sys.stdout.write(f"{body.decode()}\n")
    return 1 if status == "fail" else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "slipway doctor", description="Look at settings, services and parts of this installation, and say what to do."
    )
    parser.add_argument("--json", action="store_true", help="for programs: the status, and all checks")
    return parser
