from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from django import forms
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.kinds import LEVEL_WORDS
from apps.accounts.models import Team, User
from apps.core.actor import Level, Role, Scope

ROLE_CHOICES = [
    (Role.VIEWER.value, _("viewer: reads everything of the team")),
    (Role.MEMBER.value, _("member: creates, and edits everything of the team")),
    (Role.MAINTAINER.value, _("maintainer: manages everything of the team")),
    (Role.ADMIN.value, _("admin: manages also members and service accounts")),
]
SERVICE_ROLE_CHOICES = ROLE_CHOICES[:3]
SCOPE_CHOICES = [
    (Scope.ALL.value, _("everything that its owner may")),
    (Scope.READ.value, _("read: look at everything, change nothing")),
    (Scope.TRACKING.value, _("tracking: experiments, runs and their files")),
    (Scope.REGISTRY.value, _("registry: registered models")),
    (Scope.PROJECTS.value, _("projects: queue and follow runs of projects")),
    (Scope.SERVE.value, _("serve: ask deployed models")),
    (Scope.METRICS.value, _("metrics: what monitoring reads, of all teams")),
]
EXPIRY_CHOICES = [("30", _("30 days")), ("90", _("90 days")), ("365", _("a year")), ("never", _("no end"))]


class ProfileForm(forms.Form):
    """How others see one."""

    first_name = forms.CharField(label=_("First name"), max_length=150, required=False)
    last_name = forms.CharField(label=_("Last name"), max_length=150, required=False)
    email = forms.EmailField(label=_("Mail"), max_length=254, required=False)

    def fix_email(self) -> None:
        """Only show the mail address."""
        self.fields["email"].disabled = True
        self.fields["email"].help_text = _("You are known by it at sign-in: an administrator changes it.")


class NewPasswordForm(forms.Form):
    """A password set for somebody else."""

    password = forms.CharField(
        label=_("New password"),
        strip=False,
        max_length=1024,
        help_text=_("At least ten characters. A few words are easier to keep than one odd one."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )


class OwnPasswordForm(NewPasswordForm):
    """One's own new password, with the one of now as the proof."""

    current = forms.CharField(
        label=_("Current password"),
        strip=False,
        max_length=1024,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )
    field_order = ("current", "password")


class TokenForm(forms.Form):
    """A new API token of `user`."""

    name = forms.CharField(label=_("Name"), max_length=100, help_text=_("What it is for, such as “training server”."))
    scopes = forms.MultipleChoiceField(
        label=_("It may do"), choices=SCOPE_CHOICES, initial=[Scope.ALL.value], widget=forms.CheckboxSelectMultiple
    )
    team = forms.ModelChoiceField(
        label=_("Team"),
        queryset=Team.objects.none(),
        help_text=_("The team that its calls speak for, unless they name another."),
    )
    expires = forms.ChoiceField(label=_("Ends after"), choices=EXPIRY_CHOICES, initial="90")

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not user.is_superuser:
            scopes = cast("forms.MultipleChoiceField", self.fields["scopes"])
            scopes.choices = [choice for choice in SCOPE_CHOICES if choice[0] != Scope.METRICS.value]
            scopes.help_text = _("The scope metrics is for tokens of administrators: monitoring reads of all teams.")
        teams = Team.objects.all() if user.is_superuser else Team.objects.filter(memberships__user=user)
        field = cast("forms.ModelChoiceField[Team]", self.fields["team"])
        field.queryset = teams
        field.initial = user.home_team_id
        field.required = teams.exists()

    def expires_at(self) -> datetime | None:
        """When the token ends."""
        days = self.cleaned_data["expires"]
        return None if days == "never" else timezone.now() + timedelta(days=int(days))


class TeamForm(forms.Form):
    """A new team."""

    name = forms.CharField(
        label=_("Name"),
        max_length=63,
        help_text=_("Lower-case letters, digits and hyphens. It can't be changed later."),
    )
    description = forms.CharField(
        label=_("Description"), max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )


class DescriptionForm(forms.Form):
    """What a team is for."""

    description = forms.CharField(
        label=_("Description"), max_length=2000, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )


class MemberForm(forms.Form):
    """Somebody who joins a team."""

    username = forms.CharField(label=_("User name"), max_length=150)
    role = forms.ChoiceField(label=_("Role"), choices=ROLE_CHOICES, initial=Role.MEMBER.value)


class RoleForm(forms.Form):
    """Another role of a member."""

    role = forms.ChoiceField(label=_("Role"), choices=ROLE_CHOICES)


class ServiceAccountForm(forms.Form):
    """An account for a machine."""

    username = forms.CharField(
        label=_("Name"), max_length=150, help_text=_("Unique on this server, such as “forge-ci”.")
    )
    role = forms.ChoiceField(label=_("Role"), choices=SERVICE_ROLE_CHOICES, initial=Role.MEMBER.value)


class PersonForm(forms.Form):
    """A new person."""

    username = forms.CharField(label=_("User name"), max_length=150)
    password = forms.CharField(
        label=_("First password"),
        strip=False,
        max_length=1024,
        help_text=_("At least ten characters. Hand it over safely; it can be changed under Settings."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    team = forms.ModelChoiceField(label=_("Team"), queryset=Team.objects.all(), required=False)
    role = forms.ChoiceField(label=_("Role"), choices=ROLE_CHOICES, initial=Role.MEMBER.value)
    is_admin = forms.BooleanField(label=_("Administers the site"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not settings.PASSWORD_SIGN_IN:
            del self.fields["password"]


class GrantForm(forms.Form):
    """Who an object is shared with."""

    holder = forms.CharField(label=_("Person or team"), max_length=150)
    holder_kind = forms.ChoiceField(label=_("Kind"), choices=[("user", _("person")), ("team", _("team"))])
    level = forms.TypedChoiceField(label=_("May"), coerce=lambda raw: Level(int(raw)))

    def __init__(self, levels: Sequence[Level], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = cast("forms.TypedChoiceField", self.fields["level"])
        field.choices = [(level.value, LEVEL_WORDS[level]) for level in levels]
