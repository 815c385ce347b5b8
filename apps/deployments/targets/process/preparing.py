"""Making the environment that instances run in. Its packages are built by anybody's programs, so these run apart."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

from django.conf import settings

from apps.core.errors import Unavailable
from apps.deployments.targets.base import Say
from apps.runtime.base import Execution
from apps.runtime.environments import Cache, Needs
from apps.runtime.process import Host
from apps.runtime.tools import Tools

_LOOK_SECONDS = 0.2
_GRACE_SECONDS = 2.0


def prepare(
    needs: Needs, host: Host, environments: Path, rooms: Path, say: Say, is_cancelled: Callable[[], bool]
) -> None:
    """Have the environment for `needs` in the cache. Raises `Unavailable` where that was cancelled."""

    def check() -> None:
        if is_cancelled():
            raise Unavailable("Preparing the environment was cancelled.")

    @contextmanager
    def hold(execution: Execution) -> Iterator[None]:
        with _killed_if(is_cancelled, execution):
            yield
        check()

    rooms.mkdir(mode=0o700, parents=True, exist_ok=True)
    room = Path(mkdtemp(dir=rooms))
    tools = Tools(host, room, hold)
    cache = Cache(environments, tools.run, tools.build, check)
    say("Preparing the environment.")
    try:
        with cache.held(needs, say) as ready:
            say("The environment was built." if ready.was_built else "The environment was there already.")
    except Exception:
        check()
        raise
    finally:
        shutil.rmtree(room, ignore_errors=True)
    if ready.was_built:
        cache.clean(settings.ENVIRONMENTS_BYTES)


@contextmanager
def _killed_if(is_cancelled: Callable[[], bool], execution: Execution) -> Iterator[None]:
    """Kill a program that goes on meanwhile, as soon as that is so."""
    over = threading.Event()

    def watch() -> None:
        while not over.wait(_LOOK_SECONDS):
            if is_cancelled():
                execution.kill(_GRACE_SECONDS)
                return

    watcher = threading.Thread(target=watch, name="slipway preparing", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()
