from __future__ import annotations

import secrets
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from apps.core.errors import DomainError
from apps.deployments.demo import telling as deployments
from apps.experiments.demo.teams import EVERYWHERE, TEAMS
from apps.experiments.demo.telling import tell
from apps.projects.demo import telling as projects
from apps.registry.demo import telling as models


class Command(BaseCommand):
    help = (
        "Make three demo teams with people, experiments, runs, models, projects and deployments. "
        "A second time only makes what is missing."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--password-stdin", action="store_true", help="read the password of the demo people from standard input"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        given = sys.stdin.readline().strip() if options["password_stdin"] else ""
        if options["password_stdin"] and not given:
            raise CommandError("No password came in on standard input.")
        password = given or secrets.token_urlsafe(12)
        try:
            with transaction.atomic():
                told = tell(password)
                registered = models.tell()
                made_projects = projects.tell()
                deployed = deployments.tell()
        except DomainError as error:
            raise CommandError(error.message) from error
        made = f"{told.teams} teams, {told.people} people, {told.experiments} experiments, {told.runs} runs"
        self.stdout.write(f"Made {made}.")
        made = f"{registered.models} models, {registered.versions} versions, {registered.prompts} prompts"
        self.stdout.write(f"Registered {made}.")
        made = f"{made_projects.projects} projects, {made_projects.runs} runs, {made_projects.schedules} schedules"
        self.stdout.write(f"Queued {made}.")
        made = f"{deployed.deployments} deployments, {deployed.revisions} revisions, all of them stopped"
        self.stdout.write(f"Deployed {made}.")
        for sentence in registered.open_requests:
            self.stdout.write(sentence)
        if told.people and not given:
            names = ", ".join([EVERYWHERE[0], *(name for team in TEAMS for name, _, _ in team.people)])
            self.stdout.write(f"Sign in as one of {names} with the password {password}")
