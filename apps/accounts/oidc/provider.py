"""The provider as allauth speaks to it, held to what allauth leaves open: its issuer, its signature, a nonce."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import requests
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.internal.statekit import STATE_TTL
from allauth.socialaccount.models import SocialApp
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import get_random_string
from django.utils.translation import gettext as _

from apps.accounts.oidc.config import CALLBACK_PATH, OidcConfig
from apps.accounts.oidc.failures import NotBelieved, ProviderAway, SignInFailed
from apps.accounts.oidc.identity import Identity, identity_of, verified_claims

logger = logging.getLogger("slipway.sign_in")

# For so long allauth waits for who was led off to come back.
STATE_SECONDS = STATE_TTL
_KEPT_SECONDS = 300
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
_kept: dict[str, tuple[float, dict[str, Any]]] = {}


class _Adapter(OpenIDConnectOAuth2Adapter):  # type: ignore[misc]
    """allauth's, with one provider, which the settings know, and one address to come back to."""

    def __init__(self, request: HttpRequest, config: OidcConfig) -> None:
        super().__init__(request, config.issuer)
        self.config = config

    @property
    def openid_config(self) -> dict[str, Any]:
        return discovered(self.config)

    def get_provider(self) -> OpenIDConnectProvider:
        return _Provider(self.request, self.config)

    def get_callback_url(self, request: HttpRequest, app: SocialApp) -> str:
        return callback_url(request)


class _Provider(OpenIDConnectProvider):  # type: ignore[misc]
    """allauth's; nothing of what to ask for comes from the query of a link."""

    def __init__(self, request: HttpRequest, config: OidcConfig) -> None:
        more = {"server_url": config.issuer, "scope": list(config.scopes), "oauth_pkce_enabled": True}
        app = SocialApp(provider=self.id, provider_id=config.issuer, name=config.name, settings=more)
        app.client_id, app.secret = config.client_id, config.client_secret
        super().__init__(request, app=app)
        self.config = config

    def get_oauth2_adapter(self, request: HttpRequest) -> _Adapter:
        return _Adapter(request, self.config)


def callback_url(request: HttpRequest) -> str:
    """Where the provider sends people back to, as it has to be registered there."""
    return f"{settings.PUBLIC_URL}{CALLBACK_PATH}" if settings.PUBLIC_URL else request.build_absolute_uri(CALLBACK_PATH)


def discovered(config: OidcConfig, *, anew: bool = False) -> dict[str, Any]:
    """What the provider says of itself, kept for minutes. Raises `ProviderAway`, `NotBelieved`."""
    until, document = _kept.get(config.issuer, (0.0, {}))
    if anew or until < time.monotonic():
        document = fetch_json(config.discovery_url)
        _check_document(document, config)
        _kept[config.issuer] = (time.monotonic() + _KEPT_SECONDS, document)
    return document


def fetch_json(url: str, token: str = "") -> dict[str, Any]:
    """A JSON object of the provider's. Raises `ProviderAway`."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        with get_adapter().get_requests_session() as session:
            answer = session.get(url, headers=headers)
            answer.raise_for_status()
            found = answer.json()
    except (requests.RequestException, ValueError) as error:
        raise _away(error) from error
    if not isinstance(found, dict):
        raise _away(f"{url} answers no JSON object")
    return found


def begin(request: HttpRequest, config: OidcConfig, *, next_url: str) -> HttpResponse:
    """Lead somebody to the provider, and to `next_url` after it. State, nonce and PKCE's proof stay in the session."""
    provider, nonce = _Provider(request, config), get_random_string(32)
    answer: HttpResponse = provider.redirect(
        request, "login", next_url=next_url, auth_params={"nonce": nonce}, scope=list(config.scopes), nonce=nonce
    )
    return answer


def finish(request: HttpRequest, config: OidcConfig) -> tuple[Identity, str]:
    """Who came back, and where they wanted to go. Raises `SignInFailed` in one of its kinds."""
    provider = _Provider(request, config)
    state = _state(request, provider)
    if request.GET.get("error") == "access_denied":
        raise SignInFailed(_("%s did not let you in, or you broke it off.") % config.name)
    if "error" in request.GET or not request.GET.get("code"):
        raise _away(f"it answered {request.GET.get('error')!r}: {request.GET.get('error_description')!r}")
    if request.GET.get("iss", "").rstrip("/") not in ("", config.issuer):
        raise NotBelieved(_("The answer is of another issuer than the one that is set up."))
    return identity_of(_claims(_Adapter(request, config), state), config), str(state.get("next") or "/")


def _state(request: HttpRequest, provider: _Provider) -> Mapping[str, Any]:
    """What this browser's session knows of the sign-in; each is good for one answer, within ten minutes."""
    try:
        state: Mapping[str, Any] = provider.unstash_redirect_state(request, request.GET.get("state", ""))
    except PermissionDenied as error:
        why = _("This sign-in is over: it took too long, was used already, or began in another browser or address.")
        raise SignInFailed(why) from error
    return state


def _claims(adapter: _Adapter, state: Mapping[str, Any]) -> dict[str, Any]:
    config, document, request = adapter.config, adapter.openid_config, adapter.request
    client = adapter.get_client(request, adapter.get_provider().app)
    try:
        tokens = client.get_access_token(request.GET["code"], pkce_code_verifier=state.get("pkce_code_verifier"))
    except (OAuth2Error, requests.RequestException, ValueError, KeyError) as error:
        raise _away(error) from error
    keys = fetch_json(document["jwks_uri"])
    expected = {"issuer": document["issuer"], "client_id": config.client_id, "nonce": str(state.get("nonce"))}
    claims = verified_claims(str(tokens.get("id_token", "")), keys, **expected)
    if not (url := document.get("userinfo_endpoint")):
        return claims
    more = fetch_json(url, str(tokens["access_token"]))
    if more.get("sub") != claims["sub"]:
        raise NotBelieved(_("Two of its answers are about two people."))
    return claims | more


def _check_document(document: Mapping[str, Any], config: OidcConfig) -> None:
    if str(document.get("issuer", "")).rstrip("/") != config.issuer:
        logger.error("sign-in: %s says that its issuer is %s", config.discovery_url, document.get("issuer"))
        raise NotBelieved(_("The provider calls itself by another issuer than the one that is set up."))
    for name in _ENDPOINTS:
        scheme = urlsplit(str(document.get(name, ""))).scheme
        if scheme != "https" and scheme != urlsplit(config.issuer).scheme:
            raise _away(f"{config.discovery_url} has no {name} that can be used")


def _away(reason: object) -> ProviderAway:
    logger.error("sign-in: the provider failed: %s", reason)
    return ProviderAway(_("It does not answer as it should. Try again in a moment."))
