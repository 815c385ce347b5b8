from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from apps.experiments.artifacts.store import own_store
from slipway.paths import DataFolder


@pytest.fixture(autouse=True)
def data_folder(tmp_path: Path) -> Iterator[DataFolder]:
    """A data folder for the test alone."""
    folder = DataFolder(tmp_path / "data")
    folder.make()
    kept, settings.DATA = settings.DATA, folder
    own_store.cache_clear()
    yield folder
    settings.DATA = kept
    own_store.cache_clear()


@pytest.fixture
def files(data_folder: DataFolder) -> Path:
    """Where the files of the store lie."""
    return data_folder.artifacts
