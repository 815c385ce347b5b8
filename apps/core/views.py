from __future__ import annotations

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse

from apps.core.rules import open_to_all


@open_to_all
def version(request: HttpRequest) -> HttpResponse:
    """The release of MLflow whose protocol is spoken, as clients expect it."""
    return HttpResponse(settings.MLFLOW_PROTOCOL_VERSION, content_type="text/plain")


@open_to_all
def health(request: HttpRequest) -> HttpResponse:
    """`OK`, or 503 with the parts that fail."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse("OK", content_type="text/plain")
