"""`slipway --help`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from slipway.cli import PROGRAMS


def main(arguments: Sequence[str]) -> int:
    """Our programs, our commands, then how to see Django's."""
    import django
    from django.core.management import get_commands, load_command_class

    django.setup()
    ours = {name: app for name, app in get_commands().items() if str(app).startswith("apps.") and name not in PROGRAMS}
    lines = ["Usage: slipway COMMAND [options]   (slipway COMMAND --help tells the options)", ""]
    lines += [f"  {name:<12} {text}" for name, text in PROGRAMS.items()]
    for name, app in sorted(ours.items()):
        lines.append(f"  {name:<12} {_first_sentence(load_command_class(str(app), name).help)}")
    lines += ["", "Django's own commands (shell, dbshell, check, ...) work too: slipway help --commands"]
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


def _first_sentence(text: str) -> str:
    return text.strip().splitlines()[0] if text.strip() else ""
