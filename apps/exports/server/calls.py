"""Calls that write. What a server refuses is one thing that is left out; where it can't be reached, it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

import urllib3

from apps.core.errors import NotFound
from apps.exports.targets import BadTarget, Refused
from apps.imports.sources.rest_client import RestClient

_ATTEMPTS = 3


class Calls(RestClient):
    """The server at `url`, with the credentials that the environment has for MLflow's own client."""

    def call(self, method: str, route: str, /, **values: Any) -> dict[str, Any]:
        """Its answer. Raises `NotFound`, `Refused` with its words, and `BadTarget` where it can't go on."""
        url = f"{self.url}/api/2.0/mlflow/{route}"
        if method == "GET":
            url, body = f"{url}?{urlencode(values)}", None
        else:
            body = values
        answer = self._request(method, url, body)
        try:
            found = answer.json()
        except (ValueError, UnicodeError):
            found = None
        said = str(found.get("message", ""))[:300] if isinstance(found, dict) else ""
        if answer.status in (401, 403):
            raise BadTarget(f"{self.url} does not let us: set MLFLOW_TRACKING_TOKEN, or name and password. {said}")
        if answer.status == 404:
            raise NotFound(said or "not found")
        if 400 <= answer.status < 500 and said:
            raise Refused(f"the server says: {said}")
        if answer.status != 200 or not isinstance(found, dict):
            raise BadTarget(f"{self.url} answered {answer.status} {said!r}. The same command goes on.")
        return found

    def upload(self, path: str, size: int, read: Callable[[], Iterator[bytes]]) -> None:
        """Put a file into the server's store, in a stream. Raises `Refused` and `BadTarget`."""
        url = f"{self.url}/api/2.0/mlflow-artifacts/artifacts/{quote(path)}"
        headers = {**self._headers, "Content-Type": "application/octet-stream", "Content-Length": str(size)}
        for attempt in range(_ATTEMPTS):
            try:
                # What is sent can't be sent again by the pool: a stream is read once.
                answer = self._pool.request("PUT", url, headers=headers, body=read(), retries=False, redirect=False)
            except urllib3.exceptions.HTTPError as error:
                if attempt + 1 == _ATTEMPTS:
                    raise BadTarget(
                        f"{self.url} broke off: {type(error).__name__}. The same command goes on."
                    ) from error
                continue
            if answer.status < 300:
                return
            if answer.status < 500:
                raise Refused(f"the server answered {answer.status}")
        raise BadTarget(f"{self.url} answered {answer.status} to a file. The same command goes on.")


def pairs(values: Mapping[str, str]) -> list[dict[str, str]]:
    """As the protocol writes keys with values."""
    return [{"key": key, "value": value} for key, value in values.items()]


def parts(listed: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    """In pieces of at most `size`."""
    return (listed[start : start + size] for start in range(0, len(listed), size))
