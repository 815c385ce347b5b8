"""The provider that people of a company sign in with, looked at as a sign-in does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from apps.accounts.models import Team
from apps.accounts.oidc.config import CALLBACK_PATH, OidcConfig
from apps.accounts.oidc.failures import SignInFailed
from apps.accounts.oidc.provider import discovered, fetch_json
from slipway.doctor.findings import Finding, fail, ok, warn

_PART = "sign-in"
_ADVICE = "look at SLIPWAY_OIDC_ISSUER; does this machine reach it, and know its certificate (REQUESTS_CA_BUNDLE)?"


def check_sign_in() -> Finding:
    """What the provider says of itself fits, its keys are there, and so are the teams that groups lead to."""
    config: OidcConfig | None = settings.OIDC
    if config is None:
        return ok(_PART, "by password; no provider is set up")
    try:
        document = discovered(config, anew=True)
        keys = fetch_json(document["jwks_uri"]).get("keys")
    except SignInFailed as error:
        return fail(_PART, f"{config.issuer}: {error.message}", _ADVICE)
    if not keys:
        return fail(_PART, f"{document['jwks_uri']} has no keys", _ADVICE)
    return _lacking(config, document) or ok(_PART, f"{config.issuer}, with {len(keys)} keys{_besides()}")


def _lacking(config: OidcConfig, document: Mapping[str, Any]) -> Finding | None:
    if not settings.PUBLIC_URL:
        why = f"people are sent back to the address they came by, and each has to be known there, with {CALLBACK_PATH}"
        return warn(_PART, f"SLIPWAY_PUBLIC_URL is not set: {why}", "set it")
    unknown = set(config.scopes) - set(document.get("scopes_supported") or config.scopes)
    if unknown:
        said = f"the provider does not list the scopes {', '.join(sorted(unknown))}"
        return warn(_PART, said, "see SLIPWAY_OIDC_SCOPES")
    if "S256" not in (document.get("code_challenge_methods_supported") or ["S256"]):
        return warn(_PART, "the provider does not take proofs by SHA-256 (PKCE)", "switch it on there")
    missing = config.mapping.teams - set(Team.objects.values_list("name", flat=True))
    if missing:
        said = f"SLIPWAY_OIDC_GROUPS names teams that are not there: {', '.join(sorted(missing))}"
        return warn(_PART, said, "make them under Settings, Teams")
    return None


def _besides() -> str:
    return " and passwords beside it" if settings.PASSWORD_SIGN_IN else "; no passwords"
