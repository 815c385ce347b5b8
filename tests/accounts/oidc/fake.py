"""A provider in a thread, which answers as a test wants it to: well, or wrongly in each way there is."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from django.test import Client, override_settings

from apps.accounts.oidc.config import OidcConfig
from apps.accounts.oidc.mapping import GroupMapping

CLIENT_ID, CLIENT_SECRET = "slipway", "a secret of the client, and a long one"


@cache
def key(name: str) -> rsa.RSAPrivateKey:
    """A key pair, made once."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass
class Fake:
    """The provider. `person` is what it says of who signs in; the others spoil its answers."""

    issuer: str = ""
    person: dict[str, Any] = field(default_factory=dict)
    # Put over what it says of itself, into ID tokens and into userinfo.
    document: dict[str, Any] = field(default_factory=dict)
    token: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] = field(default_factory=dict)
    signed_with: str = "ours"
    algorithm: str = "RS256"
    # Paths that answer 500.
    broken: set[str] = field(default_factory=set)
    asked: dict[str, dict[str, str]] = field(default_factory=dict)

    def config(self, groups: str = "", **more: Any) -> OidcConfig:
        """What an operator would set for it."""
        config = OidcConfig(self.issuer, CLIENT_ID, CLIENT_SECRET, "Harbour ID", mapping=GroupMapping.parse(groups))
        return replace(config, **more)

    def answer(self, path: str, form: dict[str, str]) -> dict[str, Any] | None:
        if path in self.broken:
            return None
        match path:
            case "/.well-known/openid-configuration":
                return self._document() | self.document
            case "/jwks":
                public = jwt.algorithms.RSAAlgorithm.to_jwk(key("ours").public_key(), as_dict=True)
                return {"keys": [public | {"kid": "1", "use": "sig"}, public | {"kid": "2", "use": "enc"}]}
            case "/token":
                return self._tokens(form)
            case "/userinfo":
                return self.person | self.userinfo
        return None

    def _document(self) -> dict[str, Any]:
        paths = {"token_endpoint": "/token", "jwks_uri": "/jwks", "userinfo_endpoint": "/userinfo"}
        found = {name: f"{self.issuer}{path}" for name, path in paths.items()}
        found |= {"issuer": self.issuer, "authorization_endpoint": f"{self.issuer}/auth"}
        return found | {"code_challenge_methods_supported": ["S256"], "token_endpoint_auth_methods_supported": ["x"]}

    def _tokens(self, form: dict[str, str]) -> dict[str, Any] | None:
        asked = self.asked.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        proof = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if asked is None or form.get("client_secret") != CLIENT_SECRET or proof != asked["code_challenge"]:
            return None
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT_ID, "iat": now, "exp": now + 300, "nonce": asked["nonce"]}
        claims |= {"sub": self.person["sub"]} | self.token
        keys: dict[str, Any] = {"HS256": CLIENT_SECRET, "none": None}
        signer = keys.get(self.algorithm, key(self.signed_with))
        token = jwt.encode(claims, signer, algorithm=self.algorithm, headers={"kid": "1"})
        return {"access_token": "an access token", "token_type": "Bearer", "id_token": token}

    def agree(self, start: str) -> str:
        """As if the person had signed in there: the address to come back by, for one that we led to."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(start).query).items()}
        code = f"code-{len(self.asked)}-{asked['state']}"
        self.asked[code] = asked
        back = urlsplit(asked["redirect_uri"])
        return f"{back.path}?code={code}&state={asked['state']}"

    def sign_in(self, person: dict[str, Any], browser: Client | None = None, next_url: str = "/") -> tuple[Client, Any]:
        """The whole way of somebody; the browser and its last answer."""
        self.person, browser = {"email_verified": True, **person}, browser or Client()
        start = browser.get("/login/oidc/", {"next": next_url})
        assert start.status_code == 302, start.content
        return browser, browser.get(self.agree(start["Location"]))


@contextmanager
def fake_provider() -> Iterator[Fake]:
    """A running provider, which the settings don't know yet."""
    fake = Fake()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._say(fake.answer(urlsplit(self.path).path, {}))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            self._say(fake.answer(self.path, {name: values[0] for name, values in parse_qs(body).items()}))

        def _say(self, answer: dict[str, Any] | None) -> None:
            body = json.dumps(answer or {"error": "server_error"}).encode()
            self.send_response(200 if answer is not None else 500)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    fake.issuer = f"http://127.0.0.1:{server.server_port}"
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def signing_in_with(fake: Fake, groups: str = "", *, passwords: bool = True, **more: Any) -> Iterator[None]:
    """The site as it is set up for a provider."""
    with override_settings(OIDC=fake.config(groups, **more), PASSWORD_SIGN_IN=passwords):
        yield
