from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest
from django.core.cache import cache
from hypothesis import settings

from tests.erasing import flush_allowed
from tests.personas import People, make_people

pytest_plugins = ["tests.strictness"]

# A shell ignores it for what it starts in the background, which hands that on to all that tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)

# How long an example takes says more of the machine than of the code.
settings.register_profile("slipway", deadline=None)
settings.load_profile("slipway")


@pytest.fixture(autouse=True)
def _fresh_cache() -> Iterator[None]:
    """Counters of failures and what is known of tokens must not leak from test to test."""
    cache.clear()
    yield
    cache.clear()


@pytest.fixture(autouse=True, scope="session")
def _erasable_audit_log() -> Iterator[None]:
    """Tests that commit empty all tables afterwards, the append-only ones too."""
    with flush_allowed():
        yield


@pytest.fixture
def people(db: None) -> People:
    """The personas, in this test's database."""
    return make_people()
