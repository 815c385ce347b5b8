"""Slow work beside a loop."""

from __future__ import annotations

import threading

from apps.deployments.supervision.errands import Errands
from tests.waiting import until


def test_what_is_done_is_a_reason_to_look_unless_it_is_quiet() -> None:
    """Observing is done at each look: a look because of its end would be one without rest."""
    woken = threading.Semaphore(0)
    errands = Errands("test", 1, woken.release)
    errands.send("observe", lambda: None, quiet=True)
    until(lambda: not errands.is_going_on("observe"))
    assert not woken.acquire(blocking=False)
    errands.send("start", lambda: None)
    assert woken.acquire(timeout=60)
    errands.close()


def test_each_thing_is_done_once_at_a_time() -> None:
    may_end = threading.Event()
    errands = Errands("test", 2, lambda: None)
    assert errands.send("slow", may_end.wait)
    assert not errands.send("slow", may_end.wait)
    assert errands.send("other", lambda: None)
    may_end.set()
    until(lambda: not errands.is_going_on("slow"))
    assert errands.send("slow", lambda: None)
    errands.close()
