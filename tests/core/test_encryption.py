from __future__ import annotations

import pytest
from django.test import override_settings

from apps.core.encryption import seal, unseal
from apps.core.errors import Conflict


def test_it_comes_back_and_is_not_readable() -> None:
    sealed = seal("a secret ✓")
    assert "secret" not in sealed
    assert unseal(sealed) == "a secret ✓"
    assert sealed != seal("a secret ✓")


def test_nothing_stays_nothing() -> None:
    assert (seal(""), unseal("")) == ("", "")


def test_a_key_of_the_past_still_opens() -> None:
    with override_settings(SECRET_KEY="old" * 20):
        sealed = seal("x")
    with override_settings(SECRET_KEY="new" * 20, SECRET_KEY_FALLBACKS=["old" * 20]):
        assert unseal(sealed) == "x"
    with override_settings(SECRET_KEY="new" * 20, SECRET_KEY_FALLBACKS=[]), pytest.raises(Conflict):
        unseal(sealed)
