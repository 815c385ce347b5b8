"""What an operator says of the provider."""

from __future__ import annotations

from dataclasses import dataclass, field

from apps.accounts.oidc.mapping import GroupMapping

START_PATH = "/login/oidc/"
CALLBACK_PATH = "/login/oidc/callback/"


@dataclass(frozen=True, slots=True)
class OidcConfig:
    """One provider. `issuer` is its address without a slash at the end; `name` stands on the button."""

    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    name: str
    scopes: tuple[str, ...] = ("openid", "profile", "email")
    groups_claim: str = "groups"
    mapping: GroupMapping = field(default_factory=GroupMapping)
    # Somebody who comes for the first time gets an account.
    creates_users: bool = True
    # An account that is there is taken for that of a person whose mail address, vouched for by the provider, it has.
    links_by_email: bool = False

    @property
    def discovery_url(self) -> str:
        """Where the provider describes itself."""
        return f"{self.issuer}/.well-known/openid-configuration"
