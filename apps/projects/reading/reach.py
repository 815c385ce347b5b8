"""What this server fetches on somebody's behalf: Git repositories of the public internet, and folders that are listed.

A repository's host is resolved once and looked at; over HTTP Git is told to connect to what was looked at. Over ssh and
git it resolves the name again, so there a name that changes in between is not met; networks are the operator's.
"""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

from apps.core.addresses import Address, Allowed, may_call, parse_address
from apps.core.errors import InvalidInput, Unavailable
from apps.core.outgoing import Destination, OutgoingError, resolve
from apps.projects.reading.sources import check_git_address

_PORTS = {"http": 80, "https": 443, "ssh": 22, "git": 9418}
_SCP_LIKE = re.compile(r"[\w.-]+@(?P<host>[\w.-]+):[^:]")


def check_git(address: str) -> None:
    """Raise `InvalidInput` for what can't be cloned here. A name that doesn't resolve now may do so later."""
    try:
        reachable(address)
    except Unavailable:
        return


def reachable(address: str) -> tuple[str, ...]:
    """Options for Git with which it reaches the host that was looked at, and no other.

    Raises `InvalidInput` for one that may not be reached, `Unavailable` for a name that doesn't resolve.
    """
    check_git_address(address)
    destination = _destination(address)
    try:
        found = resolve(destination)
    except OutgoingError as error:
        raise Unavailable(f"The repository can't be reached: {error}.") from error
    for one in found:
        _refuse_closed(destination.host, one)
    if destination.scheme not in ("http", "https"):
        return ()
    # A redirect could lead to a host that nobody looked at.
    options = ("-c", "http.followRedirects=false")
    if parse_address(destination.host) is not None:
        return options
    shown = ",".join(f"[{one}]" if one.version == 6 else str(one) for one in found)
    return (*options, "-c", f"http.curloptResolve={destination.host}:{destination.port}:{shown}")


def folder_roots() -> tuple[Path, ...]:
    """The folders of this server whose subfolders may be projects, as the operator lists them."""
    roots: tuple[Path, ...] = settings.PROJECT_FOLDERS
    return roots


def allowed_folder(text: str) -> Path:
    """The folder, links followed. Raises `InvalidInput` unless it lies below a root that is listed."""
    roots = [root.resolve() for root in folder_roots()]
    if not roots:
        raise InvalidInput("Folders of this server are no sources here: SLIPWAY_PROJECT_FOLDERS lists none.")
    if "\x00" in text or not Path(text).is_absolute():
        raise InvalidInput("A folder is named by its whole path.")
    place = Path(text).resolve()
    if not any(place.is_relative_to(root) for root in roots):
        listed = ", ".join(map(str, folder_roots()))
        raise InvalidInput(f"'{text[:200]}' is not below a folder that may be used; these may: {listed}.")
    return place


def _destination(address: str) -> Destination:
    scp = _SCP_LIKE.match(address)
    if scp is not None and "://" not in address:
        return Destination("ssh", scp["host"].lower(), 22, "")
    try:
        parts = urlsplit(address)
        port = parts.port
        parse_address(parts.hostname or "")
    except ValueError as error:
        raise InvalidInput(f"The repository's address can't be read: {error}.") from error
    scheme = parts.scheme.lower()
    _refuse_password(parts, scheme)
    if not parts.hostname:
        raise InvalidInput("The repository's address names no host.")
    return Destination(scheme, parts.hostname, port or _PORTS[scheme], "")


def _refuse_password(parts: SplitResult, scheme: str) -> None:
    """An address is shown to whoever sees the project."""
    if parts.password is not None or (parts.username is not None and scheme in ("http", "https")):
        raise InvalidInput("The address may not hold a name or password: everybody who sees the project could read it.")


def _refuse_closed(host: str, address: Address) -> None:
    allowed: Allowed = settings.OUTGOING_ALLOW
    if not allowed.lists(host, address) and not may_call(address):
        raise InvalidInput(
            f"{host} is not of the public internet, and the operator's SLIPWAY_OUTGOING_ALLOW does not list it."
        )
