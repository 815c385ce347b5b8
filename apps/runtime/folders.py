"""Folders of strangers' files."""

from __future__ import annotations

from pathlib import Path

from apps.runtime.process import sizes

# What no run needs and nobody means to send.
LEFT_OUT = frozenset({".git", "__pycache__", ".venv", "venv", "mlruns", ".mypy_cache", ".pytest_cache", "node_modules"})


def bytes_below(folder: Path, enough: int | None = None) -> int:
    """What the files below a folder take of the disk; it stops counting above `enough`."""
    return sizes.bytes_below(str(folder), enough)
