"""Rounds by hand; leaves with 1 and the list of what was wrong."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.serving_kills.rounds import Wishes, serving_rounds


def main() -> int:
    """Run, and print what came of it."""
    parser = argparse.ArgumentParser("python -m tests.serving_kills", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--changes", type=int, default=30)
    parser.add_argument("--whole-within", type=float, default=10.0, metavar="S", help="after each kill")
    parser.add_argument("--sqlite", action="store_true", help="the embedded database instead of PostgreSQL")
    parser.add_argument("--environments", type=Path, help="a folder of environments to share with other runs of this")
    parser.add_argument("--keep", action="store_true", help="keep the data folder and its logs")
    options = parser.parse_args()
    wishes = Wishes(
        seed=options.seed,
        rounds=options.rounds,
        changes=options.changes,
        whole_within=options.whole_within,
        with_postgres=not options.sqlite,
        environments=options.environments,
    )
    with _folder(keep=options.keep) as folder:
        report = serving_rounds(Path(folder), wishes, say=lambda text: print(text, flush=True))  # noqa: T201
        print(report.text())  # noqa: T201
    return 1 if report.wrong else 0


@contextmanager
def _folder(*, keep: bool) -> Iterator[str]:
    folder = tempfile.mkdtemp(prefix="slipway-serving-kills-")
    try:
        yield folder
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


sys.exit(main())
