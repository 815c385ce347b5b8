"""Zip files as somebody might send them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

PROJECT = """name: steps
entry_points:
  main:
    parameters: {c: {type: float, default: 1.5}}
    command: "python step.py {c}"
"""


def zipped(files: Mapping[str, str | bytes], *, mode: int = 0, method: int = zipfile.ZIP_DEFLATED) -> io.BytesIO:
    """A zip of some files; `mode` is what it says of all but the MLproject."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as file:
        for name, content in files.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = 0 if name == "MLproject" else mode << 16
            info.compress_type = method
            file.writestr(info, content)
    made.seek(0)
    return made
