"""Our own processes, the audit log, and whether a backup could be made."""

from __future__ import annotations

from django.db import connection
from redis.exceptions import RedisError

from apps.audit import heads
from apps.audit.sealing import newest_head
from apps.audit.verification import Verification
from apps.core import checks
from apps.deployments.models import Deployment
from apps.deployments.selectors.hosts import hosts
from apps.projects.selectors.workers import alive_workers
from slipway.backup import postgres
from slipway.backup.failures import Refused
from slipway.doctor.findings import Finding, fail, ok, warn

# How far back the audit log is looked at; `slipway audit verify` walks all of it.
_QUICK = 1000


def check_worker() -> Finding:
    """Scheduled work is done, and runs of projects have somebody to do them."""
    workers = alive_workers()
    try:
        beats = checks.check_worker()
    except RedisError:
        # The broker, which knows it, is told of by its own check.
        beats = bool(workers)
    if not beats:
        return fail(
            "worker", "no scheduled work was done within a minute", "start `slipway worker` and one `slipway scheduler`"
        )
    if not workers:
        return warn("worker", "scheduled work is done, but nobody takes project runs", "start a `slipway worker`")
    names = ", ".join(sorted({worker.host for worker in workers}))
    return ok("worker", f"{len(workers)} alive: {names}")


def check_serving() -> Finding:
    """Somebody runs what is deployed."""
    alive, wanted = hosts().alive, Deployment.objects.filter(is_stopped=False, wanted__isnull=False).count()
    if alive:
        return ok("serving", f"{len(alive)} alive: {', '.join(row.host.name for row in alive)}")
    if wanted:
        return fail("serving", f"{wanted} deployments, and no machine that serves", "start `slipway serving`")
    return ok("serving", "nothing is deployed, and no machine serves")


def check_audit_log() -> Finding:
    """The end of the chain fits, and reaches to the head that the data folder knows."""
    newest, kept = newest_head(), heads.kept_head()
    after = max(0, newest.sequence - _QUICK) if newest else 0
    verification = Verification([kept] if kept else [], after=after)
    finding = next(verification.findings(), None)
    if finding is not None:
        return fail("audit log", str(finding), "run `slipway audit verify`, and find out who did that")
    return ok("audit log", f"the last {verification.checked} sealed events are as recorded")


def check_backup() -> Finding:
    """PostgreSQL's programs are here, and new enough."""
    if connection.vendor != postgres.VENDOR:
        return ok("backup", "`slipway backup` needs nothing else")
    try:
        version = postgres.check_dumping()
    except Refused as error:
        return warn("backup", error.message.rstrip("."), "`slipway backup` runs where they are")
    return ok("backup", f"pg_dump {version}")
