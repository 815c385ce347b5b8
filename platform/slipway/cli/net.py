"""What our programs ask about addresses."""

from __future__ import annotations

import argparse
import errno
import ipaddress
import socket

from slipway import env


def port_number(text: str) -> int:
    """A TCP port, for argparse."""
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port from 1 to 65535")
    return int(text)


def refuse_open_host_without_login(host: str) -> None:
    """Without a login everybody who reaches the port is the administrator. Raises `WrongSetting`."""
    if env.flag("SLIPWAY_NO_LOGIN") and not _is_loopback(host):
        raise env.WrongSetting(f"--no-login is for this machine alone: it can't be used with the host {host}.")


def refuse_taken_port(host: str, port: int) -> None:
    """Raises `WrongSetting` where nobody can listen there now."""
    name = host.strip("[]")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        reason = f"port {port} is in use; choose another with --port" if taken else f"{host} can't be listened on"
        raise env.WrongSetting(f"{reason}.") from error


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
