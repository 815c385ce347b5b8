"""The configuration, a JSON object in a file. Its keys are the fields below; `model` and `listen` must be there.

{"model": "/path/of/folder", "name": "iris", "version": "1", "listen": {"unix": "/path.sock"},
 "workers": 1, "max_body_bytes": 104857600, "timeout_s": 60, "concurrency": 64, "grace_s": 30, "keepalive_s": 120,
 "batching": {"enabled": null, "max_rows": 256, "max_wait_ms": 2}, "threads": 0,
 "authorize": {"url": "https://tracking/…", "scope": "serve"}, "secret": null, "server": "slipway"}
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any


class WrongConfig(Exception):
    """The configuration can't be used. The message is for the person who wrote it."""


@dataclasses.dataclass(frozen=True)
class Listen:
    """A unix socket's path, or a host and port."""

    unix: str | None = None
    #: The number of a socket that whoever started this has opened for it.
    fd: int | None = None
    host: str = "127.0.0.1"
    port: int = 0

    def __str__(self) -> str:
        if self.fd is not None:
            return f"open socket {self.fd}"
        return "unix:" + self.unix if self.unix else f"http://{self.host}:{self.port}"


@dataclasses.dataclass(frozen=True)
class Batching:
    """Requests that wait at the same time are predicted together.

    `enabled` null (the default) means: for flavours whose rows are independent by their nature (estimators of
    scikit-learn, XGBoost, LightGBM), not for a custom pyfunc, which may look at its whole input, and never for
    requests with `params`. True adds all other models with a signature of numbers; false turns it off. In the last
    bits of a float a batch may differ from a single call, as any matrix product does that is cut differently.
    """

    enabled: bool | None = None
    max_rows: int = 256
    max_wait_ms: float = 2.0


@dataclasses.dataclass(frozen=True)
class Authorize:
    """Whom to ask: `GET url?scope=…` with the caller's Authorization. 2xx lets in, 401 and 403 are passed on."""

    url: str
    scope: str = "serve"
    #: How long a yes is remembered, in seconds; a no is for a fifth of it.
    cache_s: float = 15.0


@dataclasses.dataclass(frozen=True)
class Config:
    #: The folder of the model, with its MLmodel.
    model: str
    listen: Listen
    #: What /v2 calls the model, and its version.
    name: str = "model"
    version: str = "1"
    #: Processes that predict. One that dies, hangs or holds the interpreter is replaced, with a growing pause.
    workers: int = 1
    #: Of a body, as sent and again when decompressed. More: 413.
    max_body_bytes: int = 100 * 1024 * 1024
    #: For an answer, in seconds, waiting included. Longer: 504, and a thread that does not come back costs its process.
    timeout_s: float = 60.0
    #: Requests in flight in one worker. More: 429 with Retry-After.
    concurrency: int = 64
    #: After SIGTERM, what is in flight may take so many seconds.
    grace_s: float = 30.0
    #: A connection without a request is closed after so many seconds.
    keepalive_s: float = 120.0
    #: Requests that are predicted side by side where they can't be batched. 0: one where the model is batched, else 4.
    threads: int = 0
    batching: Batching = dataclasses.field(default_factory=Batching)
    authorize: Authorize | None = None
    #: What callers must send as X-Slipway-Instance-Secret, for instances on TCP behind a gateway. Health is open.
    secret: str | None = None
    #: What /v2 says the server is.
    server: str = "slipway"

    @property
    def max_bodies_bytes(self) -> int:
        """What the bodies of all requests of a worker may hold together."""
        return max(4 * self.max_body_bytes, 64 * 1024 * 1024)


def read(path: str) -> Config:
    """The configuration in a file. WrongConfig where it isn't one."""
    try:
        raw = json.loads(Path(path).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise WrongConfig(f"{path} can't be read: {error}") from error
    return parse(raw)


def parse(raw: Any) -> Config:
    """The configuration of a JSON object. Unknown keys are passed over: a newer supervisor may write more."""
    values = _object(raw, "The configuration")
    if not isinstance(values.get("model"), str):
        raise WrongConfig("model: the path of the model's folder is missing.")
    known: dict[str, Any] = _known(Config, values)
    known["listen"] = _listen(values.get("listen"))
    known["batching"] = Batching(**_known(Batching, _object(values.get("batching") or {}, "batching")))
    known["authorize"] = _authorize(values.get("authorize"))
    config = Config(**known)
    for field in ("workers", "max_body_bytes", "timeout_s", "concurrency"):
        value = getattr(config, field)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or value <= 0:
            raise WrongConfig(f"{field}: {value!r} is not a number above 0.")
    return config


def _listen(raw: Any) -> Listen:
    listen = Listen(**_known(Listen, _object(raw, "listen")))
    if listen.unix is None and not isinstance(listen.port, int):
        raise WrongConfig(f"listen: {listen.port!r} is not a port.")
    if listen.unix is not None and len(listen.unix.encode()) > 107:
        raise WrongConfig(f"listen: the path of a socket may have 107 bytes, and {listen.unix} has more.")
    return listen


def _authorize(raw: Any) -> Authorize | None:
    if not raw:
        return None
    known = _known(Authorize, _object(raw, "authorize"))
    if not isinstance(known.get("url"), str):
        raise WrongConfig("authorize: the url is missing.")
    return Authorize(**known)


def _known(kind: Any, values: dict[str, Any]) -> dict[str, Any]:
    names = {field.name for field in dataclasses.fields(kind)}
    return {name: value for name, value in values.items() if name in names}


def _object(raw: Any, what: str) -> dict[str, Any]:
    if not isinstance(raw, dict):
        raise WrongConfig(f"{what}: a JSON object is missing.")
    return raw
