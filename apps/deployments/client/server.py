"""A Slipway server as clients of deployments call it, over plain HTTP.

Reads are made again while it is away, since it may be restarted while somebody waits; changes are sent once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

import urllib3

from apps.core.errors import (
    AlreadyExists,
    Conflict,
    DomainError,
    InvalidInput,
    NotFound,
    NotSignedIn,
    PermissionDenied,
    Unavailable,
)
from apps.projects.running.tracking import DEFAULT_URI, headers_of, pool_of, unknown_words

# How long a server may be away before whoever waits gives up; and one that was never there.
PATIENCE_SECONDS = 300.0
_FIRST_SECONDS = 5.0
# Instances answer within the timeout of their deployment, which is an hour at most.
_CALL = urllib3.Timeout(30, 3600)
_PAGE = 1000
_AWAY = (429, 502, 503, 504)

Say = Callable[[str], None]
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class LogPiece:
    """Bytes `start` to `end` of a log. `has_ended`: nothing comes after."""

    text: str
    start: int
    end: int
    has_ended: bool


class Server:
    """The server of `uri`, with the caller's credentials: a token, or a name and a password."""

    def __init__(self, uri: str, env: Mapping[str, str], say: Say = lambda line: None) -> None:
        if not uri.startswith(("http://", "https://")):
            raise InvalidInput(f"MLFLOW_TRACKING_URI is '{uri[:200]}'; a server is wanted, http:// or https://.")
        self.uri = uri.rstrip("/")
        self._pool, self._headers, self._say = pool_of(env, retries=False), headers_of(env), say
        self._env = env
        self._has_answered = False

    def get(self, name: str) -> Json:
        """A deployment."""
        return self._read(_at(name))

    def deployments(self, at_most: int | None = None, **wanted: Any) -> list[Json]:
        """Deployments, newest first; `wanted` is the query."""
        return self._pages("deployments/", at_most, wanted)

    def revisions(self, name: str, at_most: int | None = None) -> list[Json]:
        """Of a deployment, newest first."""
        return self._pages(_at(name, "revisions"), at_most, {})

    def revision(self, name: str, number: int) -> Json:
        """One of them."""
        return self._read(_at(name, "revisions", str(number)))

    def instances(self, name: str, at_most: int | None = None, **wanted: Any) -> list[Json]:
        """Of a deployment, newest first."""
        return self._pages(_at(name, "instances"), at_most, wanted)

    def log(self, name: str, instance: str, offset: int, *, wait: float = 0, limit: int = 262_144) -> LogPiece:
        """What there is of an instance's log from a byte on, after waiting so many seconds for some."""
        query = urlencode({"offset": offset, "wait": wait, "limit": limit})
        answer = self._patiently("GET", f"{_at(name, 'instances', instance, 'log')}?{query}")
        if answer.status != 200:
            raise refusal(answer, self.uri, self._env)
        start, end = (int(answer.headers.get(f"X-Log-{each}", offset)) for each in ("Start", "Offset"))
        return LogPiece(answer.data.decode(errors="replace"), start, end, answer.headers.get("X-Log-Ended") == "true")

    def create(self, body: Mapping[str, Any]) -> Json:
        """A new deployment."""
        return self._change("POST", "deployments/", body)

    def change(self, name: str, body: Mapping[str, Any]) -> Json:
        """Its description, rules or port."""
        return self._change("PATCH", _at(name), body)

    def delete(self, name: str) -> None:
        """Remove it. Raises `Conflict` while something of it runs."""
        self._change("DELETE", _at(name))

    def act(self, name: str, action: str, **body: Any) -> Json:
        """Such as `deploy`, `rollback`, `shift`, `scale`, `stop`; what is None is left out."""
        return self._change("POST", _at(name, action), {key: value for key, value in body.items() if value is not None})

    def invoke(self, name: str, body: bytes, content_type: str) -> urllib3.BaseHTTPResponse:
        """The answer of what is deployed, whose body is read as it comes. Raises what the answer says."""
        url = f"{self.uri}/serve/{quote(name, safe='')}/invocations"
        headers = self._headers | {"Content-Type": content_type}
        try:
            answer = self._pool.request(
                "POST", url, body=body, headers=headers, timeout=_CALL, preload_content=False, redirect=False
            )
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise _unreached(self.uri, error) from error
        if answer.status == 200:
            return answer
        raise refusal(answer, self.uri, self._env)

    def _pages(self, path: str, at_most: int | None, wanted: Mapping[str, Any]) -> list[Json]:
        query = {name: value for name, value in wanted.items() if value not in ("", None)}
        found: list[Json] = []
        while True:
            size = _PAGE if at_most is None else min(_PAGE, at_most - len(found))
            page = self._read(f"{path}?{urlencode(query | {'page_size': size})}")
            found += page["results"]
            token = page["next_page_token"]
            if not token or (at_most is not None and len(found) >= at_most):
                return found
            query["page_token"] = token

    def _read(self, path: str) -> Json:
        return self._json(self._patiently("GET", path))

    def _change(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Json:
        sent = {} if body is None else {"json": dict(body)}
        try:
            answer = self._pool.request(method, self._url(path), headers=self._headers, redirect=False, **sent)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise _unreached(self.uri, error) from error
        return {} if answer.status == 204 else self._json(answer)

    def _json(self, answer: urllib3.BaseHTTPResponse) -> Json:
        if answer.status >= 300:
            raise refusal(answer, self.uri, self._env)
        found = _json_of(answer)
        if found is None:
            raise InvalidInput(f"{self.uri} is no Slipway server: it answered {answer.status} and no JSON.")
        return found

    def _patiently(self, method: str, path: str) -> urllib3.BaseHTTPResponse:
        """The answer, once there is one. Says so when the server is away, and when it is back."""
        until = time.monotonic() + (PATIENCE_SECONDS if self._has_answered else _FIRST_SECONDS)
        wait, has_said = 0.2, False
        while isinstance(answer := self._tried(method, path), str):
            if time.monotonic() + wait > until:
                raise Unavailable(f"{self.uri} {answer}. Is MLFLOW_TRACKING_URI right?")
            if not has_said:
                self._say(f"{self.uri} {answer}; trying again …")
                has_said = True
            time.sleep(wait)
            wait = min(wait * 2, 5)
        if has_said:
            self._say(f"{self.uri} answers again.")
        self._has_answered = True
        return answer

    def _tried(self, method: str, path: str) -> urllib3.BaseHTTPResponse | str:
        """The answer, or what is wrong with the server now."""
        try:
            answer = self._pool.request(method, self._url(path), headers=self._headers, redirect=False)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            return f"does not answer ({_cause(error)})"
        return f"answers {answer.status}" if answer.status in _AWAY else answer

    def _url(self, path: str) -> str:
        return f"{self.uri}/api/v1/{path}"


def server_of_environment(env: Mapping[str, str], say: Say) -> Server:
    """The server of `MLFLOW_TRACKING_URI`, else the one that `slipway up` starts on this machine."""
    return Server(env.get("MLFLOW_TRACKING_URI") or DEFAULT_URI, env, say)


def refusal(answer: urllib3.BaseHTTPResponse, uri: str, env: Mapping[str, str]) -> DomainError:
    """What an answer with a status of errors says, as one of ours. `env`: of which the credentials were."""
    body = _json_of(answer)
    if body is None and 300 <= answer.status < 500:
        return InvalidInput(f"{uri} is no Slipway server: it answered {answer.status} and no JSON.")
    message = str((body or {}).get("message") or f"{uri} answered {answer.status}.")
    match answer.status:
        case 401:
            return NotSignedIn(unknown_words(uri, env))
        case 403:
            return PermissionDenied(message)
        case 404:
            return NotFound(message)
        case 409:
            return Conflict(message)
    if (body or {}).get("error_code") == "RESOURCE_ALREADY_EXISTS":
        return AlreadyExists(message)
    return Unavailable(message) if answer.status >= 500 or answer.status in _AWAY else InvalidInput(message)


def lines_of(answer: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
    """The lines of an answer as they come, without their ends."""
    rest = b""
    try:
        for piece in answer.stream(65_536):
            *lines, rest = (rest + piece).split(b"\n")
            yield from lines
    finally:
        answer.close()
    if rest:
        yield rest


def _at(name: str, *more: str) -> str:
    """The path of a deployment. Raises `InvalidInput` for what can't be its name, so that no path is made of it."""
    if not name or len(name) > 63 or not name.replace("-", "").isalnum() or not name.isascii():
        raise InvalidInput(f"'{name[:100]}' is no name of a deployment; `slipway deployments list` shows them.")
    return "/".join(("deployments", name, *(quote(part, safe="") for part in more))) + "/"


def _json_of(answer: urllib3.BaseHTTPResponse) -> Json | None:
    try:
        body = answer.json()
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _unreached(uri: str, error: Exception) -> Unavailable:
    return Unavailable(f"{uri} does not answer ({_cause(error)}). Is MLFLOW_TRACKING_URI right?")


def _cause(error: Exception) -> str:
    return type(getattr(error, "reason", None) or error).__name__
