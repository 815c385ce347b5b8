"""Files that forms send are refused by what they announce, before any of it is written to disk."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.files.uploadhandler import FileUploadHandler

from apps.core.errors import TooLarge


class BoundedUploads(FileUploadHandler):
    """Stands before the handler that writes. A body without a length is read as empty."""

    def handle_raw_input(
        self,
        input_data: Any,
        META: Any,  # noqa: N803 - Django's name
        content_length: int,
        boundary: Any,
        encoding: str | None = None,
    ) -> None:
        """Raise `TooLarge` for a form that is over the limit."""
        if content_length > settings.MAX_UPLOAD_BYTES:
            raise TooLarge(f"The file is too large: forms take at most {settings.MAX_UPLOAD_BYTES:,} bytes.")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None
