from __future__ import annotations

from typing import Any

from asgiref.sync import async_to_sync

from apps.experiments.models import Run
from tests.experiments.live.sockets import Socket
from tests.experiments.live.test_run_page import handshake, push
from tests.experiments.runs import make_run
from tests.personas import People


def test_it_names_the_runs_that_changed(people: People) -> None:
    run_id = make_run(people.ada)
    experiment_id = Run.objects.get(run_id=run_id).experiment_id

    @async_to_sync
    async def page() -> Any:
        async with Socket(people.vera, f"/ws/experiments/{experiment_id}/") as socket:
            await push(run_id, "metrics")
            return await socket.hears()

    assert page() == {"runs": [run_id]}


def test_outsiders_are_refused(people: People) -> None:
    experiment_id = Run.objects.get(run_id=make_run(people.ada)).experiment_id
    assert not handshake(Socket(people.cleo, f"/ws/experiments/{experiment_id}/"))
