"""Taking a port, and who has it where that fails."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest

from apps.core.errors import Conflict, InvalidInput
from apps.deployments.serve.ports import open_port


@pytest.fixture(params=["127.0.0.1", "0.0.0.0"])  # noqa: S104
def taken(request: pytest.FixtureRequest) -> Iterator[int]:
    with socket.create_server((request.param, 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0"])  # noqa: S104
def test_who_has_it_is_named(taken: int, host: str) -> None:
    with pytest.raises(Conflict, match=rf"port {taken} is taken by \S+ \(process {os.getpid()}\)"):
        open_port(host, taken)


@pytest.mark.parametrize(
    ("host", "address"), [("127.0.0.1", "127.0.0.1"), ("localhost", "127.0.0.1"), ("[::1]", "::1")]
)
def test_whoever_is_given_it_may_listen(host: str, address: str) -> None:
    with open_port(host, 0) as port:
        port.listen()
        socket.create_connection((address, port.getsockname()[1])).close()


@pytest.mark.parametrize("host", ["192.0.2.1", "no.such.host.invalid"])
def test_another_machines_address_is_refused(host: str) -> None:
    with pytest.raises(InvalidInput, match="is no address of this machine"):
        open_port(host, 5001)
