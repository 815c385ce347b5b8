"""What our programs ask about addresses."""

from __future__ import annotations

import argparse
import ipaddress

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


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
