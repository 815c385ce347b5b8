"""What broken uploads and half-done deletions leave in the folder of uploads."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from django.conf import settings

KEPT_SECONDS = 24 * 60 * 60


def remove_leftovers() -> int:
    """Remove what has not been touched for a day; how many there were."""
    uploads: Path = settings.DATA.uploads
    old = [path for path in uploads.glob("*.part") if time.time() - path.lstat().st_mtime > KEPT_SECONDS]
    for path in old:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    return len(old)
