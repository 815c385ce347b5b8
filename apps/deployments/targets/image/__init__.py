"""What an image of a version is made of: for the engine here, for clusters, and for what is taken elsewhere."""

from apps.deployments.targets.image.context import PORT, Image, base_of, digest_of, files_below, pack_into, python_of

__all__ = ["PORT", "Image", "base_of", "digest_of", "files_below", "pack_into", "python_of"]
