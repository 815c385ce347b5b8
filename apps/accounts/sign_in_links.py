"""Links that sign one person in, once and within minutes: for who is locked out. A command makes them, and no page.

Nothing is kept of one: it is keyed with the time of the person's last sign-in, which its use changes, and with the
password. So it ends with the next sign-in, whichever way that goes.
"""

from __future__ import annotations

from django.contrib.auth.tokens import PasswordResetTokenGenerator

from apps.accounts.models import User


class _Keyed(PasswordResetTokenGenerator):
    """Django's links, which end after `PASSWORD_RESET_TIMEOUT` seconds."""

    key_salt = "apps.accounts.sign_in_links"

    def _make_hash_value(self, user: User, timestamp: int) -> str:
        # To the microsecond: Django's own counts seconds, within which a link could be used again.
        return f"{user.pk}\0{user.password}\0{user.last_login and user.last_login.isoformat()}\0{timestamp}"


_keyed = _Keyed()


def new_text(user: User) -> str:
    """What the link of a person ends with."""
    return f"{user.pk}.{_keyed.make_token(user)}"


def find_user(text: str) -> User | None:
    """Whom such a text signs in, or None."""
    number, _, token = text.partition(".")
    if not number.isascii() or not number.isdigit() or len(number) > 18:
        return None
    user: User | None = User.objects.filter(pk=int(number), is_active=True, is_service=False).first()
    return user if user is not None and _keyed.check_token(user, token) else None
