"""What others run for us: database, broker, store, mail."""

from __future__ import annotations

import io
import secrets
import time

import urllib3
from django.conf import settings
from django.core import mail
from django.db import connection
from redis import Redis
from redis.exceptions import RedisError

from apps.core import checks
from apps.core.paths import ArtifactPath
from apps.deployments.actions.leading import database_ms
from apps.experiments.artifacts.s3 import S3Store
from apps.experiments.artifacts.store import own_store
from slipway.doctor.findings import Finding, fail, ok, warn

# Leases go by the database's clock and signatures by ours: S3 refuses what is a quarter of an hour off.
_OFF_SECONDS, _FAR_OFF_SECONDS = 2.0, 60.0


def check_database() -> Finding:
    """A statement comes back."""
    checks.check_database()
    version = ".".join(map(str, connection.get_database_version()))
    where = connection.settings_dict["HOST"] or connection.settings_dict["NAME"]
    return ok("database", f"{connection.display_name} {version} at {where}")


def check_migrations() -> Finding:
    """The schema is the one this code was written for."""
    if not checks.check_migrations():
        return fail(
            "migrations", "the database is not that of this release", "`slipway backup`, then `slipway migrate`"
        )
    return ok("migrations", "all are applied")


def check_broker() -> Finding:
    """It keeps what it is given."""
    checks.check_broker()
    with Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2) as client:
        said = client.info()
        policy = str(said.get("maxmemory_policy", ""))
        waiting = client.llen("celery")
    if policy.startswith("allkeys"):
        return warn("broker", f"its policy {policy} throws queued work away", "set maxmemory-policy to volatile-lru")
    return ok("broker", f"version {said.get('redis_version')}, {waiting} messages wait")


def check_storage() -> Finding:
    """A file goes in, comes out, is fetched by a signed address where there are such, and is removed."""
    store, path = own_store(), ArtifactPath.parse(f"slipway-doctor-{secrets.token_hex(8)}")
    content = secrets.token_bytes(1024)
    advice = "look at the rights of the folder, or of the bucket's user"
    store.write(path, io.BytesIO(content), len(content))
    try:
        if b"".join(store.read(path, 0, len(content))) != content:
            return fail("storage", "a file comes back as another one", advice)
        if isinstance(store, S3Store):
            return _signed(store, path, content)
    finally:
        store.delete(path)
    return ok("storage", f"{settings.DATA.artifacts}: written and read")


def check_clock() -> Finding:
    """Ours beside those of the database and of the broker."""
    others = {"database": database_ms() / 1000 - time.time()}
    try:
        with Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2) as client:
            seconds, micros = client.time()
            others["broker"] = seconds + micros / 1_000_000 - time.time()
    except RedisError:
        # Told already.
        pass
    name, off = max(others.items(), key=lambda item: abs(item[1]))
    said = f"the {name}'s differs by {abs(off):.1f} s"
    advice = "keep all machines in time (NTP): tokens, signed addresses and leases go by it"
    if abs(off) >= _FAR_OFF_SECONDS:
        return fail("clock", said, advice)
    return warn("clock", said, advice) if abs(off) >= _OFF_SECONDS else ok("clock", said)


def check_mail() -> Finding:
    """The server takes us; nothing is sent."""
    if not settings.EMAIL_HOST:
        return warn("mail", "none is sent: mails are written to the log", "set SLIPWAY_EMAIL_URL")
    sender = mail.get_connection(fail_silently=False)
    sender.open()
    sender.close()
    return ok("mail", f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT} takes mails of {settings.DEFAULT_FROM_EMAIL}")


def _signed(store: S3Store, path: ArtifactPath, content: bytes) -> Finding:
    where = f"s3://{store.bucket}/{store.prefix}".rstrip("/")
    answer = urllib3.request("GET", store.sign("get_object", path, 60), timeout=10, retries=False)
    if answer.status != 200 or answer.data != content:
        return fail(
            "storage",
            f"{where}: a signed address answers {answer.status}",
            "clients fetch big files there: SLIPWAY_S3_ENDPOINT_URL has to be one that they reach, and the clock right",
        )
    return ok("storage", f"{where}: written, read, and read by a signed address")
