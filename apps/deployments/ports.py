"""A deployment's own HTTP port, as one value."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from apps.core.errors import InvalidInput
from apps.deployments.models import Deployment

LOOPBACK = "127.0.0.1"
_POSTGRESQL, _REDIS = 5432, 6379


@dataclass(frozen=True, slots=True)
class Port:
    """`number` None: none. On loopback it wants no token; on another address it does, unless it is `is_open`."""

    number: int | None = None
    host: str = LOOPBACK
    is_open: bool = False

    @classmethod
    def of(cls, deployment: Deployment) -> Port:
        """That of a deployment."""
        return cls(deployment.port, deployment.port_host, deployment.port_open)

    def put_on(self, deployment: Deployment) -> None:
        """Write it into a row, which the caller saves."""
        deployment.port, deployment.port_host, deployment.port_open = self.number, self.host, self.is_open

    def to_json(self) -> dict[str, Any]:
        """As events and the API have it."""
        return {"port": self.number, "port_host": self.host, "port_open": self.is_open}

    @property
    def wants_token(self) -> bool:
        """Whether callers have to say who they are."""
        return not self.is_open and not ipaddress.ip_address(self.host).is_loopback


def check_port(port: Port, deployment: Deployment | None) -> None:
    """Raises `InvalidInput` for what can't be listened on."""
    try:
        ipaddress.ip_address(port.host)
    except ValueError as error:
        raise InvalidInput(f"port_host: '{port.host[:64]}' is no IP address; name one of this machine's.") from error
    if port.number is None:
        if port.is_open:
            raise InvalidInput("port_open: there is no port to open.")
        return
    if not 1024 <= port.number <= 65_535:
        raise InvalidInput("port has to be from 1024 to 65535.")
    if port.number in own_ports():
        # While one of them is down it would be free, and could not come back.
        raise InvalidInput(f"port: {port.number} is one of Slipway's own: its pages', its database's or its broker's.")


def own_ports() -> frozenset[int]:
    """Those that this server is reached on and reaches its database and broker on, on whatever host."""
    found = {urlsplit(url).port for url in (settings.PUBLIC_URL, settings.TRACKING_URL, settings.LINK_URL)}
    database, broker = settings.DATABASES["default"], urlsplit(settings.REDIS_URL)
    if database["ENGINE"].endswith("postgresql") and not str(database.get("HOST") or "").startswith("/"):
        found.add(int(database.get("PORT") or _POSTGRESQL))
    if broker.scheme in ("redis", "rediss"):
        found.add(broker.port or _REDIS)
    return frozenset(port for port in found if port is not None)
