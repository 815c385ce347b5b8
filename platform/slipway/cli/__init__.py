"""The console command: our own commands, and Django's for all else."""

from __future__ import annotations

import os
import sys
from importlib import import_module

# Run without Django: they start the processes that have it.
PROGRAMS = {
    "server": "slipway.cli.server",
}


def main() -> None:
    """`slipway COMMAND`: ours where we have one of that name, else Django's."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "slipway.settings.prod")
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name in PROGRAMS:
        sys.exit(import_module(PROGRAMS[name]).main(sys.argv[2:]))
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
