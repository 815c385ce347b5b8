from __future__ import annotations

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.core.files.storage import storages
from django.core.management.base import BaseCommand, CommandError

_OURS = {"BucketAlreadyOwnedByYou", "BucketAlreadyExists"}


class Command(BaseCommand):
    help = "Make the bucket of SLIPWAY_ARTIFACT_STORE where it is not there yet."

    def handle(self, **options: Any) -> None:
        if not settings.ARTIFACT_BUCKET:
            self.stdout.write("SLIPWAY_ARTIFACT_STORE names no bucket: files lie in the data folder.")
            return
        try:
            self.stdout.write(_made(storages["artifacts"].connection.meta.client))  # type: ignore[attr-defined]
        except (BotoCoreError, ClientError) as error:
            raise CommandError(f"The bucket {settings.ARTIFACT_BUCKET} can't be made: {error}") from error


def _made(client: Any) -> str:
    try:
        client.head_bucket(Bucket=settings.ARTIFACT_BUCKET)
        return f"The bucket {settings.ARTIFACT_BUCKET} is there."
    except ClientError as error:
        if error.response["Error"].get("Code") not in ("404", "NoSuchBucket"):
            raise
    try:
        client.create_bucket(Bucket=settings.ARTIFACT_BUCKET)
    except ClientError as error:
        if error.response["Error"].get("Code") not in _OURS:
            raise
    return f"The bucket {settings.ARTIFACT_BUCKET} is made."
