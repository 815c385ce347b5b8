"""`slipway migrate`: Django's, and what the first start makes."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from slipway import env
from slipway.paths import DataFolder


def main(arguments: Sequence[str]) -> int:
    """Bring the database up to date. With arguments of Django's own command (an app, --plan, ...) it does just that."""
    import django
    from django.conf import settings
    from django.core.management import execute_from_command_line
    from django.db import OperationalError

    parser = argparse.ArgumentParser("slipway migrate", add_help=False, allow_abbrev=False)
    parser.add_argument("-v", "--verbosity", default="1")
    parser.add_argument("--password-only", action="store_true")
    options, of_django = parser.parse_known_args(arguments)
    verbosity = "0" if options.password_only else options.verbosity
    _refuse_half_restored(settings.DATA)
    # One connection is enough, and without a pool it says at once why there is none.
    settings.DATABASES["default"]["OPTIONS"].pop("pool", None)
    django.setup()
    try:
        # Checks look at the code, which was checked when it was released, and import all of it.
        how = ["--no-input", "--skip-checks", "--verbosity", verbosity]
        execute_from_command_line(["slipway", "migrate", *how, *of_django])
        return 0 if of_django else _first_start(password_only=options.password_only)
    except OperationalError as error:
        reason = str(error).strip().partition("\n")[0]
        raise env.WrongSetting(f"DATABASE_URL: the database can't be used ({reason}).") from error


def _refuse_half_restored(data: DataFolder) -> None:
    if data.unfinished_restore.exists():
        raise env.WrongSetting(
            f"SLIPWAY_HOME: a restore into {data.root} was not finished: run `slipway restore` again with --resume, or "
            "empty the folder."
        )


def _first_start(*, password_only: bool) -> int:
    from apps.core.errors import InvalidInput
    from slipway.bootstrap import first_start

    try:
        password = first_start()
    except InvalidInput as error:
        raise env.WrongSetting(f"SLIPWAY_ADMIN_PASSWORD: {error.message}") from error
    if password:
        sys.stdout.write(f"{password}\n" if password_only else _announcement(password))
    return 0


def _announcement(password: str) -> str:
    from django.conf import settings

    return f"\nThe administrator is {settings.ADMIN_USERNAME!r}, the password {password} (shown this once).\n"
