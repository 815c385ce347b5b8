"""`slipway models serve`: a model of a server, or of a folder, on this machine. Needs no settings of a server."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Callable, Sequence

from slipway.cli.net import port_number
from slipway.paths import DataFolder

_URI = "models:/NAME/1, models:/NAME@ALIAS, models:/NAME/Production, models:/NAME, runs:/RUN/model or a folder"


def main(arguments: Sequence[str]) -> int:
    """Serve until Ctrl-C or SIGTERM, and leave with 0; 2 where it can't begin."""
    return _serve(_parser().parse_args(arguments))


def _serve(options: argparse.Namespace) -> int:
    from apps.core.errors import DomainError
    from apps.deployments.serve.programs import Settings
    from apps.deployments.serve.serving import Wanted, serve
    from apps.runtime.environments import Cache

    settings = Settings(
        host=options.host,
        port=options.port,
        workers=options.workers,
        timeout_s=options.timeout,
        concurrency=options.concurrency,
        max_body_mb=options.max_body_mb,
        batching=False if options.no_batching else None,
        grace_s=options.grace,
        is_mlflows=options.server == "mlflow",
    )
    wanted = Wanted(options.model_uri, settings, uses_environment=options.env_manager == "uv", is_open=options.open)
    # While files come and an environment is built, SIGTERM is Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return serve(wanted, os.environ, Cache(DataFolder.of_environment().environments), _say, _announce)
    except DomainError as error:
        # In one line: what builds environments wraps its own words.
        _say(f"slipway models serve: {' '.join(error.message.split())}")
        return 2
    except OSError as error:
        _say(f"slipway models serve: {error.strerror or error}{f': {error.filename}' if error.filename else ''}")
        return 2
    except KeyboardInterrupt:
        return 0


def _say(line: str) -> None:
    """Beside the server's log."""
    print(line, file=sys.stderr, flush=True)  # noqa: T201


def _announce(line: str) -> None:
    """The one line that is for programs too."""
    print(line, flush=True)  # noqa: T201


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("slipway models", description="Models of a server, on this machine.")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    text = "serve a model behind a port of this machine"
    _add_options(commands.add_parser("serve", help=text, description=f"{text[0].upper()}{text[1:]}.", add_help=False))
    return parser


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--help", action="help", help="show this and leave")
    parser.add_argument("-m", "--model-uri", required=True, metavar="MODEL_URI", help=_URI)
    parser.add_argument("-h", "--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    parser.add_argument("-p", "--port", type=port_number, default=5001, help="port to listen on (default %(default)s)")
    parser.add_argument(
        "-w", "--workers", type=_count(64), default=1, help="processes that answer (default %(default)s)"
    )
    parser.add_argument(
        "--env-manager",
        choices=("uv", "local"),
        default="uv",
        help="uv: the environment that the model names, built once; local: the Python that is active",
    )
    parser.add_argument(
        "--server", choices=("slipway", "mlflow"), default="slipway", help="Slipway's scoring server, or MLflow's own"
    )
    parser.add_argument(
        "--open", action="store_true", help="on an address that others reach: let them call without a token"
    )
    _add_limits(parser)


def _add_limits(parser: argparse.ArgumentParser) -> None:
    limits = parser.add_argument_group("limits")

    def add(*names: str, at_most: int, default: int, unit: str, text: str) -> None:
        limits.add_argument(*names, type=_count(at_most), default=default, metavar=unit, help=f"{text} ({default})")

    add("-t", "--timeout", at_most=3600, default=60, unit="SECONDS", text="for an answer; later is 504")
    add("--concurrency", at_most=10_000, default=64, unit="N", text="calls in flight in each worker; more is 429")
    add("--max-body-mb", at_most=4096, default=100, unit="MB", text="the largest body; larger is 413")
    add("--grace", at_most=3600, default=30, unit="SECONDS", text="for what is in flight when it is stopped")
    limits.add_argument("--no-batching", action="store_true", help="predict for each call by itself")


def _count(at_most: int) -> Callable[[str], int]:
    """A whole number, for argparse."""

    def parsed(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not 0 < int(text[:9]) <= at_most:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to {at_most}")
        return int(text)

    return parsed
