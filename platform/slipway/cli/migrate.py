"""`slipway migrate`: Django's, and what the first start makes."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str]) -> int:
    """Bring the database up to date. `--password-only` prints the administrator's new password and nothing else."""
    import django
    from django.core.management import execute_from_command_line

    password_only = "--password-only" in arguments
    django.setup()
    quiet = ["--verbosity", "0"] if password_only else []
    given = [argument for argument in arguments if argument != "--password-only"]
    execute_from_command_line(["slipway", "migrate", "--no-input", *quiet, *given])
    if given:
        return 0
    return _first_start(password_only=password_only)


def _first_start(*, password_only: bool) -> int:
    from apps.core.errors import InvalidInput
    from slipway import env
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
