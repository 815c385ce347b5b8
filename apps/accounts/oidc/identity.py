"""Who somebody is at the provider: read from an ID token that is verified, and from what userinfo adds to it."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt
from django.utils.translation import gettext as _

from apps.accounts.oidc.config import OidcConfig
from apps.accounts.oidc.failures import NotBelieved, SignInRefused

# Seconds that the provider's clock and ours may differ.
LEEWAY = 60
# Keys of the provider alone: with a shared secret, who may verify could also sign.
_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
_LONGEST_SUBJECT = 191
Claims = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Identity:
    """A person as the provider knows them. `email` is empty unless the provider vouches for it."""

    issuer: str
    subject: str
    wanted_name: str = ""
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    unproven_email: str = ""
    # None: the provider said nothing of groups.
    groups: frozenset[str] | None = None


def verified_claims(token: str, keys: Claims, *, issuer: str, client_id: str, nonce: str) -> dict[str, Any]:
    """What an ID token says. Raises `NotBelieved`, with the reason, where it proves nothing."""
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            _key_for(token, keys),
            algorithms=_ALGORITHMS,
            audience=client_id,
            issuer=issuer,
            leeway=LEEWAY,
            options={"require": ["iss", "sub", "aud", "exp", "iat"]},
        )
    except (jwt.ExpiredSignatureError, jwt.ImmatureSignatureError) as error:
        raise NotBelieved(_("Its clock and ours differ too much, or the answer took too long.")) from error
    except jwt.InvalidIssuerError as error:
        raise NotBelieved(_("The answer is of another issuer than the one that is set up.")) from error
    except jwt.InvalidAudienceError as error:
        raise NotBelieved(_("The answer was meant for another application.")) from error
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        raise NotBelieved(_("The signature of the answer is not the provider's.")) from error
    if claims.get("azp", client_id) != client_id:
        raise NotBelieved(_("The answer was meant for another application."))
    if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
        raise NotBelieved(_("The answer belongs to another sign-in."))
    return claims


def identity_of(claims: Claims, config: OidcConfig) -> Identity:
    """A person by their claims. Raises `NotBelieved` where there is no subject."""
    subject = claims.get("sub")
    if not isinstance(subject, str) or not subject.isprintable() or not 0 < len(subject) <= _LONGEST_SUBJECT:
        raise NotBelieved(_("The answer does not say who it is about."))
    email = _text(claims, "email", 254)
    is_vouched_for = claims.get("email_verified") in (True, "true")
    first, _space, last = _text(claims, "name", 300).partition(" ")
    return Identity(
        issuer=config.issuer,
        subject=subject,
        wanted_name=_text(claims, "preferred_username", 150) or email or first,
        first_name=_text(claims, "given_name", 150) or first[:150],
        last_name=_text(claims, "family_name", 150) or last[:150],
        email=email if is_vouched_for else "",
        unproven_email="" if is_vouched_for else email,
        groups=_groups(claims, config.groups_claim) if config.mapping.rules else None,
    )


def _key_for(token: str, keys: Claims) -> jwt.PyJWK:
    """The provider's key that a token names; the only one there is where it names none."""
    head = jwt.get_unverified_header(token)
    if head.get("alg") not in _ALGORITHMS:
        raise jwt.InvalidAlgorithmError("the token is not signed by a key of the provider's")
    found = [key for key in keys.get("keys") or [] if isinstance(key, dict) and key.get("use", "sig") == "sig"]
    fitting = [key for key in found if key.get("kid") == head["kid"]] if head.get("kid") else found
    if len(fitting) != 1:
        raise jwt.InvalidKeyError("the token names no key of the provider's")
    # Many say no algorithm of their keys.
    return jwt.PyJWK(fitting[0], algorithm=fitting[0].get("alg") or head["alg"])


def _text(claims: Claims, name: str, longest: int) -> str:
    value = claims.get(name)
    return value.strip()[:longest] if isinstance(value, str) and value.isprintable() else ""


def _groups(claims: Claims, name: str) -> frozenset[str] | None:
    sources = claims.get("_claim_names")
    if claims.get("hasgroups") or (isinstance(sources, dict) and name in sources):
        # Entra leaves them out where there are too many; to take that for "none" would put people out of their teams.
        why = _("You are in more groups than the provider tells. Ask an administrator to narrow down what it sends.")
        raise SignInRefused(why, why="too many groups")
    value = _by_path(claims, name)
    if isinstance(value, str):
        return frozenset({value})
    return frozenset(entry for entry in value if isinstance(entry, str)) if isinstance(value, list) else None


def _by_path(claims: Claims, name: str) -> Any:
    """The claim of that name, else what the steps of `realm_access.roles` lead to."""
    if name in claims:
        return claims[name]
    found: Any = claims
    for step in name.split("."):
        found = found.get(step) if isinstance(found, Mapping) else None
    return found
