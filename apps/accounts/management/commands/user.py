from __future__ import annotations

import getpass
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from apps.accounts import access, actions
from apps.core.actor import Role, system_actor
from apps.core.errors import DomainError


class Command(BaseCommand):
    help = "People: user create NAME [--admin] [--team TEAM] [--role ROLE] [--password-stdin]; user sign-in-link NAME"
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        commands = parser.add_subparsers(dest="verb", required=True)
        create = commands.add_parser("create", help="make an account")
        create.add_argument("name")
        create.add_argument("--admin", action="store_true", help="an administrator of the site")
        create.add_argument("--team", help="the team to join (default: default)", default="default")
        create.add_argument("--role", choices=[role.value for role in Role], default=Role.MEMBER.value)
        create.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
        password = commands.add_parser("password", help="set another password")
        password.add_argument("name")
        password.add_argument("--password-stdin", action="store_true", help="read the password from standard input")
        link = commands.add_parser("sign-in-link", help="print a link that signs somebody in, once and within minutes")
        link.add_argument("name")
        known = commands.add_parser("link", help="let somebody be who comes from the provider with this subject")
        known.add_argument("name")
        known.add_argument("subject", help="what the provider calls them: its page says so to who was refused")
        for verb in ("disable", "enable"):
            commands.add_parser(verb, help=f"{verb} an account").add_argument("name")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            getattr(self, f"_{options['verb'].replace('-', '_')}")(options)
        except DomainError as error:
            raise CommandError(error.message) from error

    def _create(self, options: dict[str, Any]) -> None:
        actor = system_actor("console")
        team = access.get_team(actor, options["team"])
        user = actions.create_user(
            actor,
            username=options["name"],
            password=_read_password(options["password_stdin"]) if _wants_password(options) else None,
            is_admin=options["admin"],
            team=team,
            role=Role(options["role"]),
        )
        self.stdout.write(f"{user.username} is {options['role']} in the team {team.name}.")

    def _password(self, options: dict[str, Any]) -> None:
        actor = system_actor("console")
        user = access.get_user(actor, options["name"])
        actions.change_password(actor, user=user, password=_read_password(options["password_stdin"]))
        self.stdout.write(f"The password of {user.username} is changed.")
        if not settings.PASSWORD_SIGN_IN:
            self.stderr.write("This server takes no passwords: see `slipway user sign-in-link`.")

    def _sign_in_link(self, options: dict[str, Any]) -> None:
        actor = system_actor("console")
        user = access.get_user(actor, options["name"])
        self.stdout.write(actions.make_sign_in_link(actor, user=user))
        if not settings.PUBLIC_URL:
            self.stderr.write("Put the address of the site in front, if it is another: SLIPWAY_PUBLIC_URL is not set.")

    def _link(self, options: dict[str, Any]) -> None:
        actor = system_actor("console")
        user = access.get_user(actor, options["name"])
        if settings.OIDC is None:
            raise CommandError("No provider is set up: see SLIPWAY_OIDC_ISSUER.")
        actions.link_identity(actor, user=user, issuer=settings.OIDC.issuer, subject=options["subject"])
        self.stdout.write(f"Who comes from {settings.OIDC.name} as {options['subject']} is {user.username} here.")

    def _disable(self, options: dict[str, Any]) -> None:
        self._set_active(options["name"], is_active=False)

    def _enable(self, options: dict[str, Any]) -> None:
        self._set_active(options["name"], is_active=True)

    def _set_active(self, name: str, *, is_active: bool) -> None:
        actor = system_actor("console")
        user = access.get_user(actor, name)
        actions.set_active(actor, user=user, is_active=is_active)
        self.stdout.write(f"{user.username} is {'enabled' if is_active else 'disabled'}.")


def _wants_password(options: dict[str, Any]) -> bool:
    return settings.PASSWORD_SIGN_IN or options["password_stdin"]


def _read_password(from_stdin: bool) -> str:
    if from_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    elif sys.stdin.isatty():
        password = getpass.getpass("Password: ")
        if getpass.getpass("Once more: ") != password:
            raise CommandError("The passwords differ.")
    else:
        raise CommandError("There is no terminal to ask for the password on: use --password-stdin.")
    if not password:
        raise CommandError("The password is empty.")
    return password
