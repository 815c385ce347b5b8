"""`slipway server`: the web part alone."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from granian.constants import Interfaces
from granian.server import Server


def main(arguments: Sequence[str]) -> int:
    """Serve until SIGTERM or Ctrl-C."""
    parser = argparse.ArgumentParser("slipway server", description="Serve pages and the API.", add_help=False)
    parser.add_argument("--help", action="help", help="show this and leave")
    parser.add_argument("-h", "--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    parser.add_argument("-p", "--port", type=int, default=5000, help="port to listen on (default %(default)s)")
    parser.add_argument("--workers", type=int, default=1, help="processes that answer (default %(default)s)")
    options = parser.parse_args(arguments)
    server = Server(
        "slipway.asgi:application",
        address=options.host,
        port=options.port,
        interface=Interfaces.ASGI,
        workers=options.workers,
    )
    server.serve()
    return 0
