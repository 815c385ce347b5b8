"""A version as a bundle for another place. Whoever may read the version may take it along."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from django.conf import settings
from django.http import StreamingHttpResponse

from apps.core.actor import Actor
from apps.core.errors import Conflict, InvalidInput
from apps.core.paths import ArtifactPath
from apps.deployments.configuration import Config
from apps.deployments.environments import needs_of_model
from apps.deployments.models import Revision
from apps.deployments.targets.export import Bundle, ExportKind, ModelFile
from apps.deployments.targets.image import base_of
from apps.experiments.artifacts.folders import ArtifactFolder
from apps.registry import access as registry
from apps.registry.mlmodel import folder_of_version, read_content
from apps.registry.models import ModelVersion
from apps.registry.stamps import files_in
from apps.runtime.environments import Needs

_NAMED_IN = ("python_env.yaml", "conda.yaml", "requirements.txt")
_MOST_NAMED = 1024 * 1024


def kind_of(name: str) -> ExportKind:
    """Raises `InvalidInput` for one that there isn't."""
    try:
        return ExportKind(name)
    except ValueError:
        raise InvalidInput(f"kind: '{name[:50]}' is none of {', '.join(ExportKind)}.") from None


def export_revision(actor: Actor, revision: Revision, kind: ExportKind) -> Bundle:
    """What a revision serves, as it is configured there. Who sees the deployment has to see its version too.

    Raises `Conflict` where the version was deleted, else as `export_version`.
    """
    if revision.version_id is None:
        raise Conflict(f"{revision.model_name} version {revision.version_number} was deleted.")
    version = registry.get_version_by_id(actor, revision.version_id)
    return export_version(version, kind, Config.from_json(revision.config))


def export_version(version: ModelVersion, kind: ExportKind, config: Config | None = None) -> Bundle:
    """The bundle of a version; whoever fetched that may read its files, which are read while the bundle is sent.

    Raises `NotFound` and `InvalidInput` for a version that can't be served, `Unavailable` where the store is away.
    """
    folder = folder_of_version(version)
    files = tuple(
        ModelFile(entry.path, entry.size, partial(folder.open, ArtifactPath.parse(entry.path)))
        for entry in files_in(folder)
    )
    if not any(file.path == "MLmodel" for file in files):
        raise InvalidInput("There is no MLmodel file in the version's folder, so it can't be served.")
    needs = _needs(folder)
    base = base_of(settings.SERVING_IMAGE, needs)
    return Bundle(kind, version.model.name, version.number, config or Config(), needs, base, files)


def answer_with(bundle: Bundle) -> StreamingHttpResponse:
    """The archive as a download."""
    # What can't be written is found before the first byte is sent.
    bundle.small_files()
    headers = {"Content-Disposition": f'attachment; filename="{bundle.name}"', "Cache-Control": "no-store"}
    return StreamingHttpResponse(bundle.pieces(), content_type="application/zip", headers=headers)


def _needs(folder: ArtifactFolder) -> Needs:
    with TemporaryDirectory(prefix="slipway-export-") as place:
        for name in _NAMED_IN:
            content = read_content(folder, ArtifactPath((name,)), _MOST_NAMED)
            if content is not None:
                (Path(place) / name).write_bytes(content)
        return needs_of_model(Path(place))
