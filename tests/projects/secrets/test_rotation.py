from __future__ import annotations

import io

import pytest
from django.core.management import CommandError, call_command
from django.test import override_settings

from apps.audit.models import Event
from apps.core.encryption import unseal
from apps.notifications.models import Webhook
from apps.projects.actions import set_secret
from apps.projects.models import Secret
from tests.notifications.hooks import make_hook
from tests.personas import People

OLD, NEW = "old key " * 6, "new key " * 6


def rotate() -> str:
    out = io.StringIO()
    call_command("rotate_secrets", stdout=out)
    return out.getvalue()


def seal_some(people: People) -> None:
    with override_settings(SECRET_KEY=OLD):
        set_secret(people.max.actor, team=people.forge, name="S3_KEY", value="sesame")
        make_hook(people, "https://hooks.invalid/x", secret="s3cret")


def test_all_of_it_is_sealed_with_the_new_key(people: People) -> None:
    seal_some(people)
    with override_settings(SECRET_KEY=NEW, SECRET_KEY_FALLBACKS=[OLD]):
        assert rotate() == "secrets: 1 sealed anew\nwebhooks: 1 sealed anew\n"
    with override_settings(SECRET_KEY=NEW, SECRET_KEY_FALLBACKS=[]):
        assert unseal(Secret.objects.get().sealed) == "sesame"
        hook = Webhook.objects.get()
        assert (unseal(hook.sealed_secret), hook.sealed_authorization) == ("s3cret", "")
    assert Event.objects.get(code="secret.resealed").after == {"count": 1}


def test_what_no_key_opens_is_named_and_stays(people: People) -> None:
    with override_settings(SECRET_KEY=OLD):
        set_secret(people.max.actor, team=people.forge, name="LOST", value="sesame")
    before = Secret.objects.get().sealed
    with override_settings(SECRET_KEY=NEW, SECRET_KEY_FALLBACKS=[]):
        set_secret(people.max.actor, team=people.forge, name="KEPT", value="x")
        with pytest.raises(CommandError, match=r"set them again: LOST \(secrets\)"):
            rotate()
    assert Secret.objects.get(name="LOST").sealed == before
