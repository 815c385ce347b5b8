"""Fills the first team of a server on PostgreSQL: `python -m tests.benchmarks.fill DATABASE_URL [MODELS] [EACH]`."""

from __future__ import annotations

import argparse

import psycopg

from tests.benchmarks.peers import fill_registry


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.fill", description=__doc__)
    parser.add_argument("database", help="its URL; `slipway migrate` has been there")
    parser.add_argument("models", nargs="?", type=int, default=5000)
    parser.add_argument("each", nargs="?", type=int, default=20, help="versions of each model")
    options = parser.parse_args()
    with psycopg.connect(options.database, autocommit=True) as connection, connection.cursor() as cursor:
        fill_registry(cursor, options.models, options.each)
        cursor.execute("ANALYZE")


if __name__ == "__main__":
    main()
