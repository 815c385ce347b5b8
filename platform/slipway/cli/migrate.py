"""`slipway migrate`: Django's, and what the first start makes."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from slipway import env
from slipway.paths import DataFolder

if TYPE_CHECKING:
    from slipway.upgrade import Upgrade

_HELP = """\
slipway migrate              bring the database up to date, and make the administrator at the first time
slipway migrate --preflight  only say what that would do, and whether it can be done

Or, with an app or options, Django's own command alone:

"""


def main(arguments: Sequence[str]) -> int:
    """Bring the database up to date. With arguments of Django's own command (an app, --plan, ...) it does just that."""
    import django
    from django.conf import settings
    from django.db import OperationalError

    parser = argparse.ArgumentParser("slipway migrate", add_help=False, allow_abbrev=False)
    parser.add_argument("-v", "--verbosity", default="1")
    parser.add_argument("--password-only", action="store_true")
    parser.add_argument("--preflight", action="store_true")
    options, of_django = parser.parse_known_args(arguments)
    if options.preflight and of_django:
        raise env.WrongSetting(f"slipway migrate --preflight looks at all of it: it takes no {of_django[0]}.")
    if {"-h", "--help"} & {*of_django}:
        sys.stdout.write(_HELP)
        sys.stdout.flush()
    _refuse_half_restored(settings.DATA)
    # One connection is enough, and without a pool it says at once why there is none.
    settings.DATABASES["default"]["OPTIONS"].pop("pool", None)
    django.setup()
    try:
        return _preflight() if options.preflight else _migrate(options, of_django)
    except OperationalError as error:
        reason = str(error).strip().partition("\n")[0]
        raise env.WrongSetting(f"DATABASE_URL: the database can't be used ({reason}).") from error


def _preflight() -> int:
    """Say what would be done; 1 where it can't."""
    from slipway import upgrade

    found = upgrade.look()
    sys.stdout.write("\n".join(_lines(found)) + "\n")
    return 1 if found.refusal() else 0


def _lines(found: Upgrade) -> Iterator[str]:
    if refusal := found.refusal():
        yield f"It can't be done: {refusal}"
    elif not found.pending:
        yield "Nothing has to be done."
    elif found.is_first:
        yield f"The database is empty: {len(found.pending)} migrations make it."
    else:
        yield f"{len(found.pending)} migrations: {', '.join(found.pending)}."
        yield "Back up first: slipway backup FILE. Migrations are not run backwards."
        rolls = "Processes of the release before may go on meanwhile, and be replaced one by one after it."
        yield (
            rolls
            if found.rolls
            else "Stop all processes first: those of the release before can't work on what it makes."
        )


def _migrate(options: argparse.Namespace, of_django: Sequence[str]) -> int:
    from django.core.management import execute_from_command_line

    from slipway import upgrade

    # Checks look at the code, which was checked when it was released, and import all of it.
    verbosity = "0" if options.password_only else options.verbosity
    command = ["slipway", "migrate", "--no-input", "--skip-checks", "--verbosity", verbosity, *of_django]
    if of_django:
        execute_from_command_line(command)
        return 0
    with upgrade.alone():
        if refusal := upgrade.look().refusal():
            raise env.WrongSetting(f"DATABASE_URL: {refusal}")
        execute_from_command_line(command)
        return _first_start(password_only=options.password_only)


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
