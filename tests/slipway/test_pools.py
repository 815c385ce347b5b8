"""Which threads a request runs on: who waits, or moves large files, never keeps calls from theirs."""

from __future__ import annotations

import pytest
from django.urls import reverse

from slipway import asgi


@pytest.mark.parametrize(
    "path",
    [
        reverse("api:project-run-log", args=("7",)),
        reverse("api:deployment-instance-log", args=("iris", "7")),
        reverse("api:deployment-instance-log", args=("iris", "7")).rstrip("/"),
    ],
)
def test_who_waits_for_more_of_a_log_waits_elsewhere(path: str) -> None:
    assert asgi._pool_for(path) is asgi._waits


@pytest.mark.parametrize(
    "path",
    [
        reverse("api:revision-export-list", args=("iris", "7")),
        reverse("api:version-export-list", args=("forge", "iris", "7")),
        reverse("deployments:bundle"),
    ],
)
def test_who_takes_a_model_along_takes_its_time_elsewhere(path: str) -> None:
    assert asgi._pool_for(path) is asgi._pool_for(path.rstrip("/")) is asgi._transfers


@pytest.mark.parametrize("path", ["/", "/api/v1/deployments/iris/", "/deployments/log/", "/api/v1/log"])
def test_calls_run_on_their_own(path: str) -> None:
    assert asgi._pool_for(path) is asgi._calls
