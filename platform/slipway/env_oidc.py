"""The variables of the sign-in of companies, which belong together: half a set of them stops the start."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from apps.accounts.oidc.config import OidcConfig
from apps.accounts.oidc.mapping import GroupMapping
from slipway.env import WrongSetting, flag, text

_NEEDED = ("SLIPWAY_OIDC_ISSUER", "SLIPWAY_OIDC_CLIENT_ID", "SLIPWAY_OIDC_CLIENT_SECRET")
_OTHERS = (
    "SLIPWAY_OIDC_NAME",
    "SLIPWAY_OIDC_SCOPES",
    "SLIPWAY_OIDC_GROUPS_CLAIM",
    "SLIPWAY_OIDC_GROUPS",
    "SLIPWAY_OIDC_CREATE_USERS",
    "SLIPWAY_OIDC_LINK_BY_EMAIL",
)
_LONGEST_ISSUER, _LONGEST_NAME = 200, 40


def oidc() -> OidcConfig | None:
    """The provider of `SLIPWAY_OIDC_…`; None where nothing is said of one."""
    given = [name for name in (*_NEEDED, *_OTHERS) if text(name)]
    # A secret that is mounted and empty, as a compose file has it that is not told of a provider, is none.
    if not given:
        return None
    for name in _NEEDED:
        if name not in given:
            raise WrongSetting(f"{name}: {given[0]} is set, and this is not; sign-in wants {', '.join(_NEEDED)}.")
    issuer = _issuer(_NEEDED[0])
    return OidcConfig(
        issuer=issuer,
        client_id=text(_NEEDED[1]),
        client_secret=text(_NEEDED[2]),
        name=_name("SLIPWAY_OIDC_NAME") or urlsplit(issuer).hostname or issuer,
        scopes=_scopes("SLIPWAY_OIDC_SCOPES"),
        groups_claim=text("SLIPWAY_OIDC_GROUPS_CLAIM") or "groups",
        mapping=_mapping("SLIPWAY_OIDC_GROUPS"),
        creates_users=flag("SLIPWAY_OIDC_CREATE_USERS", default=True),
        links_by_email=flag("SLIPWAY_OIDC_LINK_BY_EMAIL"),
    )


def password_sign_in(name: str, provider: OidcConfig | None) -> bool:
    """Whether people may sign in by password; they have to where there is no provider."""
    allowed = flag(name, default=True)
    if not allowed and provider is None:
        raise WrongSetting(f"{name}: nobody could sign in: without passwords SLIPWAY_OIDC_ISSUER has to be set.")
    return allowed


def _issuer(name: str) -> str:
    raw = text(name).removesuffix("/.well-known/openid-configuration").rstrip("/")
    try:
        parts = urlsplit(raw)
    except ValueError as error:
        raise WrongSetting(f"{name}: the address can't be read ({error}).") from error
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise WrongSetting(f"{name}: {raw!r} is not a URL like https://login.example.org/realms/main.")
    if parts.scheme == "http" and not _is_here(parts.hostname):
        raise WrongSetting(f"{name}: {raw!r}: https is wanted; by http only a provider on this machine is asked.")
    if len(raw) > _LONGEST_ISSUER:
        raise WrongSetting(f"{name}: at most {_LONGEST_ISSUER} characters are wanted.")
    return raw


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _name(name: str) -> str:
    raw = text(name)
    if len(raw) > _LONGEST_NAME or not raw.isprintable():
        raise WrongSetting(f"{name}: one line of at most {_LONGEST_NAME} characters is wanted.")
    return raw


def _scopes(name: str) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(re.split(r"[\s,]+", text(name) or "openid profile email")))
    if "openid" not in found:
        raise WrongSetting(f"{name}: 'openid' has to be among them, as in 'openid profile email groups'.")
    return found


def _mapping(name: str) -> GroupMapping:
    try:
        return GroupMapping.parse(text(name))
    except ValueError as error:
        raise WrongSetting(f"{name}: {error}.") from error
