from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.accounts.oidc.fake import Fake, fake_provider


@pytest.fixture
def fake() -> Iterator[Fake]:
    """A provider of the test's own."""
    with fake_provider() as provider:
        yield provider
