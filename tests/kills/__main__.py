"""Kill rounds by hand; leaves with 1 and the list of what was wrong."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.kills.rounds import kill_rounds


def main() -> int:
    """Run, and print what came of it."""
    parser = argparse.ArgumentParser("python -m tests.kills", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--sqlite", action="store_true", help="the embedded database, which is not killed")
    parser.add_argument("--keep", action="store_true", help="keep the data folder and its logs")
    options = parser.parse_args()
    with _folder(keep=options.keep) as folder:
        report = kill_rounds(
            Path(folder), seed=options.seed, rounds=options.rounds, with_postgres=not options.sqlite, say=print
        )
        print(report.text())  # noqa: T201
    return 1 if report.wrong else 0


@contextmanager
def _folder(*, keep: bool) -> Iterator[str]:
    folder = tempfile.mkdtemp(prefix="slipway-kills-")
    try:
        yield folder
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


sys.exit(main())
