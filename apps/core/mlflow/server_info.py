"""What this server can do, as clients ask for it before they choose how to upload and which team to speak for."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from apps.core.actor import Actor
from apps.core.mlflow.routing import Route, endpoint
from apps.core.mlflow.wire import Request


class ServerInfo(Request):
    pass


@endpoint(None, reads=True, any_token=True, by_runs=True)
def server_info(actor: Actor, request: ServerInfo) -> Any:
    return {
        "store_type": "SqlStore",
        "workspaces_enabled": True,
        "trace_archival_enabled": False,
        "multipart_uploads_enabled": settings.MULTIPART_UPLOADS,
        "multipart_downloads_enabled": settings.MULTIPART_DOWNLOADS,
        "presigned_upload_run_id_supported": False,
        "presigned_upload_model_id_supported": False,
        "features_enabled": {"gateway": False},
    }


ROUTES = [Route("GET", "3.0/mlflow/server-info", server_info)]
