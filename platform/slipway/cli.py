"""The console command."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """`slipway COMMAND`: ours where we have one of that name, else Django's."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "slipway.settings.prod")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
