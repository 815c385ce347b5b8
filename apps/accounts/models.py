from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.querysets import GrantQuerySet, TeamQuerySet, TokenQuerySet, UserManager
from apps.core.actor import Level, Role, Scope

DEFAULT_TEAM = "default"

team_name_validator = RegexValidator(
    r"^(?!workspaces$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])\Z",
    _("Two to 63 lower-case letters, digits and hyphens; not a hyphen at either end."),
)


class Team(models.Model):
    """Owns experiments, models, projects and deployments. The protocol calls it a workspace."""

    name = models.CharField(max_length=63, unique=True, validators=[team_name_validator])
    description = models.TextField(blank=True, max_length=2000)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = TeamQuerySet.as_manager()

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name


class User(AbstractUser):
    """A person, or a service account that signs in by token only. `is_superuser` makes an administrator of the site."""

    is_service = models.BooleanField(_("service account"), default=False)
    home_team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    objects = UserManager()  # type: ignore[misc]

    class Meta(AbstractUser.Meta):
        ordering = ("username",)

    @property
    def display_name(self) -> str:
        """The full name where there is one, else the user name."""
        return self.get_full_name() or self.username


class Membership(models.Model):
    """A person's role in a team."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=[(role.value, role.value) for role in Role], default=Role.MEMBER)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=("user", "team"), name="membership_once")]

    def __str__(self) -> str:
        return f"{self.user} in {self.team}: {self.role}"


class ObjectKind(models.TextChoices):
    """What a grant can be given on."""

    EXPERIMENT = "experiment", _("experiment")
    REGISTERED_MODEL = "registered_model", _("registered model")
    PROJECT = "project", _("project")
    DEPLOYMENT = "deployment", _("deployment")


class Grant(models.Model):
    """A level on one object, given to a person or to a team beyond what roles give."""

    kind = models.CharField(max_length=32, choices=ObjectKind.choices)
    object_id = models.BigIntegerField()
    user = models.ForeignKey(User, null=True, blank=True, on_delete=models.CASCADE, related_name="grants")
    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.CASCADE, related_name="grants")
    level = models.PositiveSmallIntegerField(choices=[(level.value, level.word) for level in Level if level])
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = GrantQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(user__isnull=True) ^ Q(team__isnull=True), name="grant_to_a_person_or_a_team"
            ),
            models.UniqueConstraint(fields=("kind", "object_id", "user"), name="grant_once_for_a_person"),
            models.UniqueConstraint(fields=("kind", "object_id", "team"), name="grant_once_for_a_team"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.object_id}: {Level(self.level).word} for {self.user or self.team}"


class Token(models.Model):
    """An API token: a public key id to find it by, and a keyed hash of its secret. The secret itself is not kept."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="tokens")
    team = models.ForeignKey(Team, null=True, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=100)
    key_id = models.CharField(max_length=16, unique=True, editable=False)
    digest = models.CharField(max_length=64, editable=False)
    scopes = models.CharField(max_length=200, default=Scope.ALL.value)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    # Of a project run alone, whose token this is: what it is kept to (`apps.accounts.confinement`). It has no scopes.
    project_run_id = models.BigIntegerField(null=True, editable=False)
    experiment_id = models.BigIntegerField(null=True, editable=False)
    project_id = models.BigIntegerField(null=True, editable=False)
    # That run, or one that started it, was started by a webhook: what it does starts nothing by webhook again.
    is_by_hook = models.BooleanField(default=False, editable=False)

    objects = TokenQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at",)
        constraints = [
            models.CheckConstraint(
                condition=Q(project_run_id__isnull=False, scopes="", team__isnull=False, expires_at__isnull=False)
                | Q(project_run_id__isnull=True, experiment_id__isnull=True, project_id__isnull=True),
                name="token_of_a_run_is_confined",
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.key_id})"

    @property
    def scope_set(self) -> frozenset[Scope]:
        """The scopes as values of `Scope`."""
        return frozenset(Scope(scope) for scope in self.scopes.split())

    @property
    def is_of_run(self) -> bool:
        """Whether a project run holds it, and not its owner."""
        return self.project_run_id is not None

    @property
    def is_live(self) -> bool:
        """Neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > timezone.now())
