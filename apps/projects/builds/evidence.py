"""Whether a version's build lets it pass: what `apps.registry` asks of this app for its gate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db.models import Max
from django.urls import reverse
from django.utils.translation import gettext as _

from apps.core.errors import Unavailable
from apps.projects.models import Build, RunState
from apps.registry.gates.base import Params, Verdict, failed, passed, pending
from apps.registry.gates.others import Asked, Stamp, register_judge
from apps.registry.models import ModelVersion

MEGABYTE = 1_000_000


def register() -> None:
    """Let gates ask for builds."""
    register_judge("build", judge_builds)


def judge_builds(asked: Sequence[Asked], stamp: Stamp) -> list[Verdict]:
    """For each version what its newest build says that ended, where it is of the files as they are. Two statements."""
    newest = newest_builds(version for version, _params in asked)
    return [_verdict(version, params, newest.get(version.pk), stamp) for version, params in asked]


def newest_builds(versions: Iterable[ModelVersion]) -> Mapping[int, Build]:
    """The newest build of each that ended and was not cancelled, by the version's key."""
    of_them = Build.objects.filter(version__in={version.pk for version in versions}, finished_ms__isnull=False)
    saying = of_them.exclude(project_run__state=RunState.CANCELLED).order_by().values("version_id")
    keys = [row["newest"] for row in saying.annotate(newest=Max("pk"))]
    return {build.version_id or 0: build for build in Build.objects.filter(pk__in=keys)} if keys else {}


def _verdict(version: ModelVersion, params: Params, build: Build | None, stamp: Stamp) -> Verdict:
    page = build_url(version)
    if build is None:
        return pending(_("It was not built yet"), url=page, starts=True)
    seen: dict[str, Any] = {"project_run": build.pk, "url": page, **_figures(build)}
    try:
        is_same = build.digest == stamp(version)
    except Unavailable as error:
        return pending(error.message, **seen)
    if not is_same:
        return pending(_("Its files are others than those that were built"), url=page, starts=True)
    if not build.is_green:
        return failed(_("Its build failed: %s") % build.error[:400], **seen)
    problem = _over(build, params)
    return failed(problem, **seen) if problem else passed(_said(build), **seen)


def build_url(version: ModelVersion) -> str:
    """The page of a version's builds."""
    return reverse("projects:build_by_id", args=(version.pk,))


def _figures(build: Build) -> dict[str, Any]:
    return {name: build.result.get(name) for name in ("bytes", "load_ms", "latency_ms")}


def _over(build: Build, params: Params) -> str:
    """What is over a limit of the policy; empty where nothing is."""
    most_ms, most_mb, found = params["max_latency_ms"], params["max_megabytes"], build.result
    latency, size = found.get("latency_ms"), found.get("bytes", 0)
    if most_ms != "" and latency is None:
        return _("It has no input example, so its latency isn't known")
    if most_ms != "" and latency > most_ms:
        words = {"latency": f"{latency:.6g}", "most": f"{most_ms:.6g}"}
        return _("Its example takes %(latency)s ms, more than %(most)s ms") % words
    if most_mb != "" and size > most_mb * MEGABYTE:
        words = {"size": f"{size / MEGABYTE:.6g}", "most": f"{most_mb:.6g}"}
        return _("Its files take %(size)s MB, more than %(most)s MB") % words
    return ""


def _said(build: Build) -> str:
    words = {"run": build.pk, "load": f"{build.result.get('load_ms', 0) / 1000:.3g}"}
    said = _("Build #%(run)s loaded it in %(load)s s") % words
    latency = build.result.get("latency_ms")
    return said if latency is None else said + _(", its example takes %s ms") % f"{latency:.4g}"
