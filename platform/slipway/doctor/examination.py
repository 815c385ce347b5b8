"""All checks, one after the other, each on a thread that is left behind where it does not answer."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

from django.db import connections

from slipway.doctor import here, parts, services, sign_in
from slipway.doctor.findings import Finding, fail

Check = Callable[[], Finding]

_SECONDS = 20.0
# In this order: what comes later needs what comes before.
CHECKS: dict[str, Check] = {
    "settings": here.check_settings,
    "data folder": here.check_data_folder,
    "disk": here.check_disk,
    "database": services.check_database,
    "migrations": services.check_migrations,
    "broker": services.check_broker,
    "storage": services.check_storage,
    "clock": services.check_clock,
    "mail": services.check_mail,
    "sign-in": sign_in.check_sign_in,
    "worker": parts.check_worker,
    "serving": parts.check_serving,
    "audit log": parts.check_audit_log,
    "backup": parts.check_backup,
}
# Without the first there is nothing to ask of the others.
_NEEDED = dict.fromkeys(("migrations", "clock", "sign-in", "worker", "serving", "audit log"), "database")


def examine(seconds: float = _SECONDS) -> Iterator[Finding]:
    """What each check found, as it is found."""
    broken: set[str] = set()
    for part, check in CHECKS.items():
        if _NEEDED.get(part) in broken:
            continue
        finding = _within(part, check, seconds)
        if finding.level == "fail":
            broken.add(part)
        yield finding


def _within(part: str, check: Check, seconds: float) -> Finding:
    found: list[Finding] = []
    thread = threading.Thread(target=_run, args=(part, check, found), name=f"doctor {part}", daemon=True)
    thread.start()
    thread.join(seconds)
    return found[0] if found else fail(part, f"no answer in {seconds:.0f} s", _look_at(part))


def _run(part: str, check: Check, found: list[Finding]) -> None:
    try:
        found.append(check())
    except Exception as error:  # noqa: BLE001 - whatever it is, the part is not well
        found.append(fail(part, said_by(error), _look_at(part)))
    finally:
        connections.close_all()


def said_by(error: Exception) -> str:
    """An error in one line."""
    text = str(error).strip().partition("\n")[0]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _look_at(part: str) -> str:
    return _ADVICE.get(part, "look at what the error names")


_ADVICE = {
    "database": "is the server of DATABASE_URL up, and do its name, user and password fit?",
    "broker": "is the server of REDIS_URL up? The embedded one runs while `slipway up` does",
    "storage": "look at SLIPWAY_ARTIFACT_STORE, SLIPWAY_S3_ENDPOINT_URL, the credentials and the rights of the bucket",
    "mail": "look at SLIPWAY_EMAIL_URL, and whether the way there is open",
}
