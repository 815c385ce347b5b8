"""Logs as objects of a real S3 server, in parts where they are long."""

from __future__ import annotations

import pytest

from apps.projects import actions
from apps.projects.models import LogChunk
from apps.projects.selectors.logs import read_log, stream_log
from tests.experiments.artifacts.test_s3 import bucket, pytestmark, s3_url
from tests.personas import People
from tests.projects.logs.made import append, end, fetched, make_project_run

__all__ = ["bucket", "pytestmark", "s3_url"]


@pytest.mark.parametrize("pieces", [1, 50])
def test_a_log_becomes_an_object(people: People, pieces: int) -> None:
    run = make_project_run(people.ada)
    for number in range(pieces):
        # Above the size from which objects are sent in parts.
        append(run, f"{number} " + "x" * 200_000)
    whole = b"".join(stream_log(fetched(run)))
    end(run)
    assert actions.store_logs() == 1
    assert LogChunk.objects.count() == 0
    assert b"".join(stream_log(fetched(run))) == whole
    assert read_log(fetched(run), 100, 1000).data == whole[100:1100]
