from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from apps.audit import tasks
from apps.audit.models import Seal
from apps.audit.sealing import newest_head
from tests.audit.test_chain import make_event, run_sql, sealed

pytestmark = pytest.mark.django_db


def verify(*arguments: str) -> None:
    call_command("audit", "verify", *arguments)


def test_it_seals_what_is_pending_and_shows_the_head(capsys: pytest.CaptureFixture[str]) -> None:
    make_event()
    verify()
    assert capsys.readouterr().out == f"All 1 sealed events are as recorded. Head: {newest_head()}\n"


def test_an_empty_log_is_fine(capsys: pytest.CaptureFixture[str]) -> None:
    verify()
    assert "All 0 sealed events" in capsys.readouterr().out


def test_a_finding_is_one_line_and_exit_code_1(capsys: pytest.CaptureFixture[str]) -> None:
    events = sealed(3)
    run_sql("DELETE FROM audit_event WHERE id = %s", events[1].pk)
    with pytest.raises(CommandError, match="1 findings in 3 sealed events") as caught:
        verify()
    assert caught.value.returncode == 1
    assert capsys.readouterr().out == f"missing: event {events[1].pk}, sealed as 2, is not there\n"


def test_a_head_from_the_log_shows_a_cut_off_end(capsys: pytest.CaptureFixture[str]) -> None:
    sealed(2)
    head = str(newest_head())
    run_sql("DELETE FROM audit_event WHERE id = (SELECT event_id FROM audit_seal WHERE sequence = 2)")
    run_sql("DELETE FROM audit_seal WHERE sequence = 2")
    verify()
    with pytest.raises(CommandError):
        verify("--head", head)
    assert "cut off: seal 2 is not the one" in capsys.readouterr().out


@pytest.mark.parametrize("head", ["", "1", "1:abc", "0:" + "0" * 64, "x:" + "0" * 64])
def test_a_head_of_another_form_is_refused(head: str) -> None:
    with pytest.raises(CommandError, match="SEQUENCE:DIGEST"):
        verify("--head", head)


def test_heads_go_to_the_log_and_to_the_data_folder(
    tmp_path: Path, settings: Any, caplog: pytest.LogCaptureFixture, django_capture_on_commit_callbacks: Any
) -> None:
    settings.AUDIT_HEADS = tmp_path
    with caplog.at_level(logging.INFO, "slipway.audit.head"), django_capture_on_commit_callbacks(execute=True):
        sealed(2)
    head = str(newest_head())
    assert f"head {head}" in caplog.messages
    assert [file.read_text().strip() for file in tmp_path.glob("audit_head*")] == [head]
    run_sql("DELETE FROM audit_event WHERE id = (SELECT event_id FROM audit_seal WHERE sequence = 2)")
    run_sql("DELETE FROM audit_seal WHERE sequence = 2")
    # The chain grows again past the lost head, which stays known.
    for _ in range(2):
        with django_capture_on_commit_callbacks(execute=True):
            sealed(3)
        with pytest.raises(CommandError):
            verify()
    assert [file.read_text().strip() for file in tmp_path.glob("audit_head*")] == [head]


def test_a_file_of_the_head_that_says_something_else(
    tmp_path: Path, settings: Any, caplog: pytest.LogCaptureFixture, django_capture_on_commit_callbacks: Any
) -> None:
    settings.AUDIT_HEADS = tmp_path
    with django_capture_on_commit_callbacks(execute=True):
        sealed(1)
    (file,) = tmp_path.glob("audit_head*")
    file.write_text("nonsense")
    with django_capture_on_commit_callbacks(execute=True):
        sealed(1)
    assert file.read_text() == "nonsense"
    with pytest.raises(CommandError, match="can't be read"):
        verify()
    with caplog.at_level(logging.ERROR, "slipway.audit.verify"):
        tasks.verify()
    assert "can't be read" in caplog.text


def test_the_tasks_seal_and_verify(caplog: pytest.LogCaptureFixture) -> None:
    make_event()
    assert (tasks.seal(), Seal.objects.count()) == (1, 1)
    assert tasks.verify() == 0
    run_sql("UPDATE audit_event SET note = 'x'")
    assert tasks.verify() == 1
    assert any(message.startswith("changed: event") for message in caplog.messages)
