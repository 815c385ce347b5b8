from __future__ import annotations

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from apps.accounts import access, actions
from apps.core.actor import Scope, system_actor
from apps.core.errors import DomainError, InvalidInput


class Command(BaseCommand):
    help = "API tokens: token create USER [--name N] [--team TEAM] [--scope S]… [--expires DAYS] prints the token"
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        commands = parser.add_subparsers(dest="verb", required=True)
        create = commands.add_parser("create", help="make a token and print it alone")
        create.add_argument("user")
        create.add_argument("--name", default="console", help="what it is for")
        create.add_argument("--team", help="the team its calls speak for (default: the person's home team)")
        scopes = [scope.value for scope in Scope]
        create.add_argument("--scope", action="append", choices=scopes, help="may be repeated (default: all)")
        create.add_argument("--expires", type=int, metavar="DAYS", help="the days it lives (default: until revoked)")
        revoke = commands.add_parser("revoke", help="end a token at once")
        revoke.add_argument("token", help="the token, or its middle part, as lists show it")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            getattr(self, f"_{options['verb']}")(options)
        except DomainError as error:
            raise CommandError(error.message) from error

    def _create(self, options: dict[str, Any]) -> None:
        actor = system_actor("console")
        days = options["expires"]
        if days is not None and not 1 <= days <= 3650:
            raise InvalidInput("--expires: wanted a number of days from 1 to 3650.")
        _, text = actions.create_token(
            actor,
            user=access.get_user(actor, options["user"]),
            name=options["name"],
            team=access.get_team(actor, options["team"]) if options["team"] else None,
            scopes=[Scope(scope) for scope in options["scope"] or [Scope.ALL]],
            expires_at=timezone.now() + timedelta(days=days) if days else None,
        )
        self.stdout.write(str(text))

    def _revoke(self, options: dict[str, Any]) -> None:
        actor = system_actor("console")
        token = access.get_token_by_key(actor, options["token"])
        actions.revoke_token(actor, token=token)
        self.stdout.write(f"The token {token.name} of {token.user.username} is revoked.")
