"""Why a sign-in came to nothing, in words for who wanted it. What an operator has to know more goes to the log."""

from __future__ import annotations

from typing import ClassVar

from apps.core.errors import DomainError


class SignInFailed(DomainError):
    """The way to the provider and back broke off; trying again may help."""

    status: ClassVar[int] = 400


class NotBelieved(SignInFailed):
    """What the provider answers doesn't prove who somebody is."""

    status = 502
    code = "INTERNAL_ERROR"


class ProviderAway(SignInFailed):
    """The provider does not answer, or not as it has to."""

    status = 502
    code = "TEMPORARILY_UNAVAILABLE"


class SignInRefused(SignInFailed):
    """We know who it is, and they may not come in. `subject` is what the provider calls them, where that helps."""

    status = 403
    code = "PERMISSION_DENIED"

    def __init__(self, message: str, *, subject: str = "", why: str = "") -> None:
        super().__init__(message)
        self.subject, self.why = subject, why
