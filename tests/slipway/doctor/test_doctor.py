"""`slipway doctor` on an installation that runs, on one that doesn't, and on what is wrong with one."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from apps.accounts import actions as accounts
from apps.audit.models import Event
from apps.audit.sealing import seal_pending
from apps.core.actor import system_actor
from slipway.doctor import examination, here, parts, services, sign_in
from slipway.doctor.findings import Finding, fail, ok
from tests.accounts.oidc.fake import fake_provider, signing_in_with
from tests.erasing import triggers_lifted
from tests.servers import slipway_up
from tests.slipway.backup.installations import Installation
from tests.waiting import until


def levels(found: dict[str, Any]) -> dict[str, str]:
    return {check["part"]: check["level"] for check in found["checks"]}


@pytest.mark.xdist_group("doctor")
def test_an_installation_that_runs_and_then_does_not(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    with slipway_up(home) as server:
        installed = Installation(home, {"SLIPWAY_SECRET_KEY": server.env["SLIPWAY_SECRET_KEY"]})

        def is_well() -> bool:
            return set(levels(installed.doctor()).values()) <= {"ok", "warn"}

        until(is_well, seconds=90)
        text = installed.slipway("doctor")
        assert "ok    database     SQLite" in text
        assert "-> set SLIPWAY_EMAIL_URL" in text
    found = levels(installed.doctor(code=1))
    assert found["broker"] == "fail"
    assert (found["database"], found["storage"], found["audit log"]) == ("ok", "ok", "ok")


def test_a_wrong_setting_is_a_finding(tmp_path: Path) -> None:
    installed = Installation(tmp_path / "home", {"SLIPWAY_RETENTION_DAYS": "soon"})
    (check,) = installed.doctor(code=1)["checks"]
    assert (check["part"], check["level"]) == ("settings", "fail")
    assert "SLIPWAY_RETENTION_DAYS" in check["message"]


def test_a_database_that_is_away_is_told_once(tmp_path: Path) -> None:
    installed = Installation(tmp_path / "home", {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing"})
    found = levels(installed.doctor(code=1))
    assert found["database"] == "fail"
    assert not {"migrations", "worker", "audit log"} & set(found)


def test_others_may_read_the_data_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(settings, "DATA", type(settings.DATA)(tmp_path))
    tmp_path.chmod(0o755)
    found = here.check_data_folder()
    assert (found.level, found.advice) == ("warn", f"chmod -R go= {tmp_path}")
    tmp_path.chmod(0o700)
    assert here.check_data_folder().level == "ok"
    (tmp_path / "restore-unfinished").touch()
    assert "--resume" in here.check_data_folder().advice


@pytest.mark.parametrize(("free", "level"), [(10, "ok"), (1, "warn"), (0.1, "fail")])
def test_little_room_on_the_disk(monkeypatch: pytest.MonkeyPatch, free: float, level: str) -> None:
    usage = type("Usage", (), {"free": int(free * 1024**3), "total": 20 * 1024**3})
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage)
    assert here.check_disk().level == level


@pytest.mark.django_db
@pytest.mark.parametrize(("off", "level"), [(0, "ok"), (30, "warn"), (-3600, "fail")])
def test_a_clock_that_is_wrong(monkeypatch: pytest.MonkeyPatch, off: int, level: str) -> None:
    monkeypatch.setattr(services, "database_ms", lambda: int((time.time() + off) * 1000))
    assert services.check_clock().level == level


def test_mail_that_nobody_takes(settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    finding = examination._within("mail", services.check_mail, 10)
    assert finding.level == "fail"
    assert "SLIPWAY_EMAIL_URL" in finding.advice


@pytest.mark.django_db
def test_the_provider_of_sign_in(settings: Any) -> None:
    assert sign_in.check_sign_in().level == "ok"
    settings.PUBLIC_URL = "https://slipway.example.org"
    with fake_provider() as fake:
        with signing_in_with(fake, passwords=False):
            assert sign_in.check_sign_in().message == f"{fake.issuer}, with 2 keys; no passwords"
        with signing_in_with(fake, "ml=foundry:member"):
            assert "foundry" in sign_in.check_sign_in().message
        fake.document = {"scopes_supported": ["openid"], "issuer": f"{fake.issuer}/"}
        with signing_in_with(fake):
            found = sign_in.check_sign_in()
            assert (found.level, "email, profile" in found.message) == ("warn", True)
            fake.document = {"issuer": "https://evil.example"}
            found = sign_in.check_sign_in()
            assert (found.level, "another issuer" in found.message) == ("fail", True)
            fake.document, fake.broken = {}, {"/jwks"}
            assert sign_in.check_sign_in().level == "fail"
    with signing_in_with(fake, issuer="http://127.0.0.1:1"):
        assert "SLIPWAY_OIDC_ISSUER" in sign_in.check_sign_in().advice


def test_a_check_that_hangs_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    def hang() -> Finding:
        time.sleep(2)
        return ok("disk", "late")

    monkeypatch.setattr(examination, "CHECKS", {"disk": hang, "mail": lambda: fail("mail", "no", "yes")})
    found = list(examination.examine(0.05))
    assert [(finding.part, finding.level) for finding in found] == [("disk", "fail"), ("mail", "fail")]
    assert "no answer" in found[0].message


@pytest.mark.django_db(transaction=True)
def test_the_end_of_the_audit_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "_QUICK", 2)
    for number in range(4):
        accounts.create_team(system_actor(), name=f"team-{number}", description="")
    seal_pending()
    assert parts.check_audit_log().message == "the last 2 sealed events are as recorded"
    with triggers_lifted():
        Event.objects.filter(pk=Event.objects.order_by("-pk").first().pk).update(note="changed")  # type: ignore[union-attr]
    assert "changed" in parts.check_audit_log().message
