"""`slipway server`: pages and the API alone."""

from __future__ import annotations

import argparse
import asyncio
import os
from collections.abc import Coroutine, Sequence
from tempfile import TemporaryDirectory
from typing import Any

from uvicorn.supervisors import Multiprocess

from apps.core.http_server import Server
from slipway.cli.net import port_number, refuse_open_host_without_login, refuse_taken_port

_TARGET = "slipway.asgi:application"
_PROTOCOL = "slipway.front:SiteFront"


def main(arguments: Sequence[str]) -> int:
    """Serve until SIGTERM or Ctrl-C."""
    options = _parser().parse_args(arguments)
    refuse_open_host_without_login(options.host)
    refuse_taken_port(options.host, options.port)
    if options.workers == 1:
        from slipway.asgi import application

        _run(_server(application, options).serve())
    else:
        from django.conf import settings

        _ = settings.DEBUG  # a wrong setting stops us here, not each of the workers
        with TemporaryDirectory(prefix="slipway-metrics-") as folder:
            # Workers add up what they count for /metrics in files there.
            os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", folder)
            config = _server(_TARGET, options).config
            Multiprocess(config, sockets=[config.bind_socket()]).run()
    return 0


def _server(application: Any, options: argparse.Namespace) -> Server:
    return Server(application, _PROTOCOL, host=options.host, port=options.port, workers=options.workers)


def _run(work: Coroutine[Any, Any, None]) -> None:
    """On the faster loop, which is not made for Windows."""
    try:
        import uvloop
    except ImportError:
        asyncio.run(work)
    else:
        uvloop.run(work)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("slipway server", description="Serve pages and the API.", add_help=False)
    parser.add_argument("--help", action="help", help="show this and leave")
    parser.add_argument("-h", "--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    parser.add_argument("-p", "--port", type=port_number, default=5000, help="port to listen on (default %(default)s)")
    parser.add_argument("--workers", type=_count, default=1, help="processes that answer (default %(default)s)")
    return parser


def _count(text: str) -> int:
    if not text.isdigit() or not 0 < int(text) <= 64:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to 64")
    return int(text)
