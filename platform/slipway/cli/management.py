"""Django's management commands, ours among them; a database that can't be used is one line there too."""

from __future__ import annotations

from slipway import env


def main(argv: list[str]) -> int:
    """Run the command that `argv` names. Raises `WrongSetting` where the database is away or was not set up."""
    from django.conf import settings
    from django.core.management import execute_from_command_line
    from django.db import OperationalError, ProgrammingError

    # One connection is enough, and without a pool it says at once why there is none.
    settings.DATABASES["default"]["OPTIONS"].pop("pool", None)
    try:
        execute_from_command_line(argv)
    except (OperationalError, ProgrammingError) as error:
        reason = str(error).strip().partition("\n")[0]
        if "no such table" in reason or getattr(error.__cause__, "sqlstate", None) == "42P01":
            raise env.WrongSetting(
                "the database is not set up: run `slipway up` or `slipway migrate` first."
            ) from error
        raise env.WrongSetting(f"DATABASE_URL: the database can't be used ({reason}).") from error
    return 0
