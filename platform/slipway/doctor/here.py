"""What lies on this machine: settings, data folder, disk."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from django.conf import settings
from django.core.checks import run_checks

from slipway import env
from slipway.doctor.findings import Finding, fail, ok, warn

_GIB = 1024**3
_LEAST, _LITTLE = _GIB // 4, 2 * _GIB
_LITTLE_PERCENT = 5


def check_settings() -> Finding:
    """That they could be read is known: this command would not have come so far."""
    found = run_checks()
    if errors := [message for message in found if message.is_serious()]:
        return fail("settings", str(errors[0]).partition("\n")[0], "see `slipway check`")
    if settings.NO_LOGIN:
        return warn(
            "settings", "every request is the administrator (SLIPWAY_NO_LOGIN)", "for one person's laptop alone"
        )
    given = bool(env.text("SLIPWAY_SECRET_KEY"))
    if not given and env.text("DATABASE_URL").startswith("postgres"):
        return warn(
            "settings",
            f"the key is {settings.DATA.secret_key}, and the data is elsewhere",
            "give all processes the same SLIPWAY_SECRET_KEY",
        )
    if not settings.PUBLIC_URL and given:
        return warn(
            "settings", "SLIPWAY_PUBLIC_URL is not set", "set it: links in mails lead there, and it is answered to"
        )
    return ok("settings", f"Slipway {settings.SLIPWAY_VERSION}, reached at {settings.LINK_URL}")


def check_data_folder() -> Finding:
    """Ours alone, and nothing half done in it."""
    root: Path = settings.DATA.root
    if settings.DATA.unfinished_restore.exists():
        return fail("data folder", f"a restore into {root} was not finished", "run it again with --resume")
    open_to = [path for path in (root, settings.DATA.secret_key, settings.DATA.database) if _is_open(path)]
    if not os.access(root, os.R_OK | os.W_OK | os.X_OK):
        return fail("data folder", f"{root} can't be written by this user", f"chown it to the user {os.getuid()}")
    foreign = [path for path in root.iterdir() if path.lstat().st_uid != os.getuid()]
    if foreign and os.getuid():
        what = f"{foreign[0]} belongs to the user {foreign[0].lstat().st_uid}"
        return fail("data folder", what, f"chown -R {os.getuid()} {root}")
    if open_to:
        return warn("data folder", f"others may read {open_to[0]}", f"chmod -R go= {root}")
    return ok("data folder", str(root))


def check_disk() -> Finding:
    """Where the data folder is."""
    usage = shutil.disk_usage(settings.DATA.root)
    percent = 100 * usage.free // usage.total
    said = f"{usage.free / _GIB:.1f} GiB free of {usage.total / _GIB:.0f} ({percent} %)"
    advice = "make room: `slipway gc` empties the trash"
    if usage.free < _LEAST:
        return fail("disk", said, advice)
    return warn("disk", said, advice) if usage.free < _LITTLE or percent < _LITTLE_PERCENT else ok("disk", said)


def _is_open(path: Path) -> bool:
    return path.exists() and bool(path.stat().st_mode & 0o077)
