from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.core.actor import system_actor
from apps.notifications.actions import reseal_webhooks
from apps.projects.actions import reseal_secrets


class Command(BaseCommand):
    help = (
        "Seal all that is kept sealed (secrets of teams and of webhooks) with SLIPWAY_SECRET_KEY. Run it after the key "
        "was changed and the old one listed in SLIPWAY_SECRET_KEY_FALLBACKS, before that one is taken away"
    )

    def handle(self, *args: Any, **options: Any) -> None:
        actor = system_actor("console")
        unreadable = []
        for what, reseal in (("secrets", reseal_secrets), ("webhooks", reseal_webhooks)):
            done = reseal(actor)
            self.stdout.write(f"{what}: {done.count} sealed anew")
            unreadable += [f"{name} ({what})" for name in done.unreadable]
        if unreadable:
            raise CommandError("No key of this server opens these; set them again: " + ", ".join(unreadable))
