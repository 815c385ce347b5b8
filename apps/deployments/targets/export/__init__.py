"""Bundles of a version for places that Slipway does not drive: an image's files, and what each place wants beside."""

from apps.deployments.targets.export.bundle import Bundle, ModelFile
from apps.deployments.targets.export.kinds import ExportKind

__all__ = ["Bundle", "ExportKind", "ModelFile"]
