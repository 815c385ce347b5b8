"""One tree of errors. An edge translates it: a page, a DRF answer or the protocol's `{error_code, message}`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar


class DomainError(Exception):
    """Something the caller asked for that can't be done; `message` is written for the caller to read.

    `details`: the same for programs, as JSON; an answer has them beside the message.
    """

    status: ClassVar[int] = 400
    code: ClassVar[str] = "BAD_REQUEST"

    def __init__(
        self, message: str, *, headers: dict[str, str] | None = None, details: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.headers = headers or {}
        self.details = details or {}

    def as_json(self) -> dict[str, Any]:
        """The body of an answer: the protocol's shape, with `details` where there are some."""
        body: dict[str, Any] = {"error_code": self.code, "message": self.message}
        return body | ({"details": dict(self.details)} if self.details else {})


class BadRequest(DomainError):
    """The request can't be read at all: broken JSON, broken encoding."""


class InvalidInput(DomainError):
    """A value is missing, of the wrong type or outside of its limits."""

    code = "INVALID_PARAMETER_VALUE"


class AlreadyExists(DomainError):
    """A name that has to be unique is taken. The protocol answers 400 here, not 409."""

    code = "RESOURCE_ALREADY_EXISTS"


class NotSignedIn(DomainError):
    """No credentials, or wrong ones; both get the same words."""

    status = 401
    code = "UNAUTHENTICATED"

    def __init__(self, message: str = "Sign in, or send an API token.") -> None:
        super().__init__(message, headers={"WWW-Authenticate": 'Basic realm="Slipway", Bearer realm="Slipway"'})


class PermissionDenied(DomainError):
    """The caller sees the object and may not do this to it."""

    status = 403
    code = "PERMISSION_DENIED"


class NotFound(DomainError):
    """The object does not exist, or the caller may not know that it does."""

    status = 404
    code = "RESOURCE_DOES_NOT_EXIST"


class EndpointNotFound(DomainError):
    """No such route."""

    status = 404
    code = "ENDPOINT_NOT_FOUND"


class MethodNotAllowed(DomainError):
    """The route exists and does not take this verb."""

    status = 405
    code = "BAD_REQUEST"


class Conflict(DomainError):
    """The state of the object forbids it now."""

    status = 409
    code = "RESOURCE_CONFLICT"


class TooLarge(DomainError):
    """The body is over the limit of its route."""

    status = 413
    code = "INVALID_PARAMETER_VALUE"


class UnsupportedMediaType(DomainError):
    """The body is not of the type that the route takes."""

    status = 415
    code = "BAD_REQUEST"


class RangeNotSatisfiable(DomainError):
    """A `Range` header that lies outside of the file."""

    status = 416
    code = "BAD_REQUEST"


class TooManyRequests(DomainError):
    """Over a limit; `retry_after` is in seconds."""

    status = 429
    code = "REQUEST_LIMIT_EXCEEDED"

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message, headers={"Retry-After": str(retry_after)})


class NotImplementedByServer(DomainError):
    """A route of the protocol whose optional behaviour is not offered; clients fall back on 501."""

    status = 501
    code = "NOT_IMPLEMENTED"


class BrokenAnswer(DomainError):
    """Who had to answer for us (a model) took the call and did not answer it: nobody knows what came of it."""

    status = 502
    code = "INTERNAL_ERROR"


class TookTooLong(DomainError):
    """Who had to answer for us (a model) did not within its time."""

    status = 504
    code = "DEADLINE_EXCEEDED"


class Unavailable(DomainError):
    """A part we need (database, broker, store) does not answer; clients retry."""

    status = 503
    code = "TEMPORARILY_UNAVAILABLE"

    def __init__(self, message: str, *, retry_after: int = 2) -> None:
        super().__init__(message, headers={"Retry-After": str(retry_after)})
