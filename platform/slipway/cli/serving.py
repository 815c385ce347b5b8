"""`slipway serving`: runs what is deployed on this machine, and decides with the others' supervisors who runs what."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from collections.abc import Sequence
from types import FrameType

from slipway.alive import Alive
from slipway.cli.supervisor import Part


def main(arguments: Sequence[str]) -> int:
    """Serve until SIGTERM or Ctrl-C. Instances end with it, unless they are kept for the next one."""
    options = _parser().parse_args(arguments)
    import django

    django.setup()
    from django.conf import settings

    from apps.core.errors import DomainError
    from apps.deployments.files import fetched
    from apps.deployments.supervision.places import abilities_here, targets_here
    from apps.deployments.supervision.serving import Serving

    folder = settings.DATA.serving
    serving = Serving(
        settings.SERVING_NAME,
        folder,
        targets_here(folder / "instances"),
        fetched,
        abilities_here(),
        keep=options.keep,
        each_look=Alive().touch,
    )

    def stop(number: int, frame: FrameType | None) -> None:
        serving.stop()

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, stop)
    ports = _Ports()
    ports.start()
    try:
        serving.run()
    except DomainError as error:
        sys.stderr.write(f"slipway: {error.message}\n")
        return 2
    finally:
        ports.stop()
    return 0


class _Ports(threading.Thread):
    """Keeps the process running that listens on deployments' own ports. It ends with us, in whatever way we end."""

    def __init__(self) -> None:
        super().__init__(name="slipway ports", daemon=True)
        self._stopping = threading.Event()

    def run(self) -> None:
        part = Part("ports", [sys.executable, "-m", "slipway.cli", "serving-ports"], os.environ, grace=35)
        # Started by this thread, which lives as long as we do: the kernel ends a child with the thread that made it.
        part.start()
        while not self._stopping.wait(1):
            part.look(_complain)
        part.stop()

    def stop(self) -> None:
        """Let it finish what it has in hand."""
        self._stopping.set()
        self.join(40)


def _complain(message: str) -> None:
    sys.stderr.write(f"slipway: {message}\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "slipway serving", description="Run what is deployed, and bring it to what is wanted."
    )
    parser.add_argument(
        "--keep",
        action="store_true",
        help="leave what runs for the next one to adopt, which has ten minutes to come; else it ends with this",
    )
    return parser
