"""Where an experiment's files may lie: our own store, or a bucket that the operator allows.

A location is written down and handed out, and nothing connects to it when it is set. Most published holes of tracking
servers began with a location somebody chose, so all is refused that isn't listed.
"""

from __future__ import annotations

import re

from django.conf import settings

from apps.core.errors import InvalidInput

MAX_LENGTH = 2000

# The folder of a run or logged model, whose files may be held: nobody else's place begins below it.
_SOMEBODYS = re.compile(r"/(?:m-)?[0-9a-f]{32}(?:/|$)")
_BUCKET_PATH = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:/[A-Za-z0-9!_.*'()-]+)*")


def check_artifact_location(location: str) -> None:
    """Raise `InvalidInput` unless `location` is empty (our own store) or below an allowed bucket."""
    if not location:
        return
    if len(location) > MAX_LENGTH:
        raise InvalidInput(f"'artifact_location' exceeds the maximum length of {MAX_LENGTH} characters")
    if not _is_canonical(location) or not any(_is_below(location, allowed) for allowed in settings.ARTIFACT_LOCATIONS):
        raise InvalidInput(
            "Invalid value for parameter 'artifact_location' supplied: files of experiments lie in the server's own "
            "store; leave it empty. The operator can allow buckets with SLIPWAY_ARTIFACT_LOCATIONS."
        )


def _is_canonical(location: str) -> bool:
    segments = location.split("/")[3:]
    has_dots = any(set(segment) == {"."} for segment in segments)
    return _BUCKET_PATH.fullmatch(location) is not None and not has_dots and not _SOMEBODYS.search(location)


def _is_below(location: str, allowed: str) -> bool:
    root = allowed.rstrip("/")
    return location == root or location.startswith(f"{root}/")
