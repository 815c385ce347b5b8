"""A Slipway server as its clients see it: archives, project runs and their logs, over plain HTTP.

It may be restarted while somebody follows a run: calls are made again until it answers, and each is safe to make twice.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import urllib3

from apps.core.errors import Conflict, InvalidInput, NotFound, Unavailable
from apps.projects.running.tracking import DEFAULT_URI, headers_of, pool_of

# How long a server may be away before whoever follows a run gives up; and one that was never there.
PATIENCE_SECONDS = 600.0
_FIRST_SECONDS = 5.0
# An archive is unpacked before it is taken.
_UPLOAD = urllib3.Timeout(30, 600)
_PIECE = 64 * 1024
_AWAY = (429, 502, 503, 504)
ENDED = ("finished", "failed", "cancelled", "lost")

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class LogPiece:
    """Bytes of a log. `has_ended`: nothing comes after."""

    data: bytes
    has_ended: bool


class Server:
    """The server of `uri`, with the caller's credentials: a token, or a name and a password."""

    def __init__(self, uri: str, env: Mapping[str, str], say: Say = lambda line: None) -> None:
        if not uri.startswith(("http://", "https://")):
            raise InvalidInput(f"MLFLOW_TRACKING_URI is '{uri[:200]}'; a queue needs a server, http:// or https://.")
        self.uri = uri.rstrip("/")
        self._pool, self._headers, self._say = pool_of(env, retries=False), headers_of(env), say
        self._has_answered = False

    def send_archive(self, file: Path, name: str) -> str:
        """The id of an archive with this content."""
        query = "?" + urlencode({"name": name[:255]})
        more = {"Content-Type": "application/zip", "Content-Length": str(file.stat().st_size)}

        def send() -> urllib3.BaseHTTPResponse:
            with file.open("rb") as body:
                url = self._url(f"project-archives/{query}")
                return self._pool.request("POST", url, body=body, headers=self._headers | more, timeout=_UPLOAD)

        return str(self._json(send)["id"])

    def start(self, asked: Mapping[str, Any], key: str) -> dict[str, Any]:
        """Queue a run, once for each key."""
        return self._call("POST", "project-runs/", dict(asked), {"Idempotency-Key": key})

    def run(self, run_id: str) -> dict[str, Any]:
        """A run by its number."""
        return self._call("GET", f"project-runs/{_part(run_id)}/")

    def runs(self, **wanted: Any) -> list[dict[str, Any]]:
        """Some runs, newest first; `wanted` is the query."""
        query = urlencode({name: value for name, value in wanted.items() if value not in ("", None, False)})
        results: list[dict[str, Any]] = self._call("GET", f"project-runs/?{query}")["results"]
        return results

    def cancel(self, run_id: str, reason: str) -> dict[str, Any]:
        """Ask that a run end. Raises `Conflict` where it has."""
        return self._call("POST", f"project-runs/{_part(run_id)}/cancel/", {"reason": reason})

    def log(self, run_id: str, offset: int, *, wait: float) -> Iterator[LogPiece]:
        """What there is of a log from byte `offset` on, after waiting so many seconds for some. May end early."""
        query = urlencode({"offset": offset, "wait": wait})
        url = self._url(f"project-runs/{_part(run_id)}/log/?{query}")
        answer = self._patiently(lambda: self._pool.request("GET", url, headers=self._headers, preload_content=False))
        try:
            if answer.status != 200:
                _checked(answer, self.uri)
            end, is_last = int(answer.headers["X-Log-Offset"]), answer.headers.get("X-Log-Ended") == "true"
            for data in answer.stream(_PIECE):
                offset += len(data)
                yield LogPiece(data, False)
            if offset >= end:
                yield LogPiece(b"", is_last)
        except (urllib3.exceptions.HTTPError, OSError):
            # Cut off: what came is counted, and the next call goes on behind it.
            return
        finally:
            answer.close()

    def _url(self, path: str) -> str:
        return f"{self.uri}/api/v1/{path}"

    def _call(self, method: str, path: str, body: Any = None, more: Mapping[str, str] | None = None) -> dict[str, Any]:
        headers = {**self._headers, **(more or {})}
        return self._json(lambda: self._pool.request(method, self._url(path), headers=headers, json=body))

    def _json(self, send: Callable[[], urllib3.BaseHTTPResponse]) -> dict[str, Any]:
        return _checked(self._patiently(send), self.uri)

    def _patiently(self, send: Callable[[], urllib3.BaseHTTPResponse]) -> urllib3.BaseHTTPResponse:
        """The answer, once there is one. Says so when the server is away, and when it is back."""
        until = time.monotonic() + (PATIENCE_SECONDS if self._has_answered else _FIRST_SECONDS)
        wait, has_said = 0.2, False
        while isinstance(answer := _tried(send), str):
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


def _tried(send: Callable[[], urllib3.BaseHTTPResponse]) -> urllib3.BaseHTTPResponse | str:
    """The answer, or what is wrong with the server now."""
    try:
        answer = send()
    except (urllib3.exceptions.HTTPError, OSError) as error:
        return f"does not answer ({type(error).__name__})"
    if answer.status not in _AWAY:
        return answer
    answer.close()
    return f"answers {answer.status}"


def server_of_environment(env: Mapping[str, str], say: Say) -> Server:
    """The server of `MLFLOW_TRACKING_URI`, else the one that `slipway up` starts on this machine."""
    return Server(env.get("MLFLOW_TRACKING_URI") or DEFAULT_URI, env, say)


def _part(run_id: str) -> str:
    if not run_id.isascii() or not run_id.isdigit():
        raise InvalidInput(f"'{run_id[:50]}' is no number of a project run; `slipway runs list` shows them.")
    return quote(run_id, safe="")


def _checked(answer: urllib3.BaseHTTPResponse, uri: str) -> dict[str, Any]:
    try:
        body = answer.json()
        message = str(body.get("message", "")) if isinstance(body, dict) else ""
    except ValueError as error:
        raise InvalidInput(f"{uri} is no Slipway server: it answered {answer.status} and no JSON.") from error
    if answer.status == 404:
        raise NotFound(message or "Not found.")
    if answer.status == 409:
        raise Conflict(message)
    if answer.status >= 400 or not isinstance(body, dict):
        raise InvalidInput(f"{uri} refused: {message or answer.status}")
    return body
