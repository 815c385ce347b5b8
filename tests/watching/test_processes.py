"""Several web processes count together, whichever of them Prometheus meets."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import requests
from prometheus_client.core import Sample
from prometheus_client.parser import text_string_to_metric_families

from tests.servers import free_port, postgres_database, postgres_is_there, running, slipway_server, wait_until_healthy
from tests.slipway.test_cache import redis_is_there
from tests.waiting import PATIENCE, until

pytestmark = [
    pytest.mark.skipif(not postgres_is_there(), reason="PostgreSQL does not answer at SLIPWAY_TEST_POSTGRES"),
    pytest.mark.skipif(not redis_is_there(), reason="Redis does not answer at SLIPWAY_TEST_REDIS"),
    pytest.mark.xdist_group("parts"),
]
CALLS = 60


def test_what_two_processes_answer_is_one_count(tmp_path: Path) -> None:
    slipway, port = str(Path(sys.executable).parent / "slipway"), free_port()
    command = [slipway, "server", "-p", str(port), "--workers", "2"]
    with (
        postgres_database() as database,
        slipway_server(tmp_path, database=database) as one,
        running(command, one.env, tmp_path / "two.log") as two,
    ):
        two.url = f"http://127.0.0.1:{port}"
        wait_until_healthy(two)
        headers = {"Authorization": f"Bearer {one.token}"}
        url = f"{two.url}/api/2.0/mlflow/experiments/get?experiment_id=0"
        # Each on a connection of its own: the kernel gives them to either process.
        for _ in range(CALLS):
            assert requests.get(url, headers=headers, timeout=20).status_code == 200
        until(lambda: _counted(two.url, headers) == CALLS, seconds=PATIENCE)
        assert [_counted(two.url, headers) for _ in range(8)] == [CALLS] * 8
        assert "slipway_queue_length" in _families(two.url, headers)


def _counted(url: str, headers: dict[str, str]) -> float:
    samples = _families(url, headers)["slipway_http_requests"]
    return sum(sample.value for sample in samples if sample.labels.get("route") == "get_experiment")


def _families(url: str, headers: dict[str, str]) -> dict[str, list[Sample]]:
    text = requests.get(f"{url}/metrics", headers=headers, timeout=20).text
    return {family.name: list(family.samples) for family in text_string_to_metric_families(text)}
