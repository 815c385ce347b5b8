from __future__ import annotations

import pytest
from django.db import InterfaceError, OperationalError

from apps.projects.actions import Fenced
from apps.projects.execution import insisting
from apps.projects.execution.insisting import insist

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(insisting, "close_old_connections", lambda: None)
    monkeypatch.setattr("apps.projects.execution.insisting.time.sleep", lambda seconds: None)


def test_it_is_done_again_until_the_database_takes_it() -> None:
    faults: list[Exception] = [OperationalError("away"), InterfaceError("closed"), OperationalError("locked")]

    def write() -> str:
        if faults:
            raise faults.pop()
        return "written"

    assert insist(write, "a run") == "written"


def test_what_the_database_refuses_is_not_asked_again() -> None:
    def write() -> None:
        calls.append(1)
        raise Fenced("it is another's")

    calls: list[int] = []
    with pytest.raises(Fenced):
        insist(write, "a run")
    assert calls == [1]
