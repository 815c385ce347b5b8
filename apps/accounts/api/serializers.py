"""Shapes of the API. Readers take a body apart and never write; what may be done is the actions' to say."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.accounts.models import Grant, Membership, ObjectKind, Team, Token, User
from apps.core.actor import Level, Role, Scope

LEVELS = {level.word: level for level in Level if level}
_ROLES = [role.value for role in Role]
_SCOPES = [scope.value for scope in Scope]


class UserShape(serializers.ModelSerializer[User]):
    """A person or service account."""

    display_name = serializers.CharField(read_only=True)
    is_admin = serializers.BooleanField(source="is_superuser", read_only=True)

    class Meta:
        model = User
        fields = ("username", "display_name", "is_admin", "is_service", "is_active", "date_joined")
        read_only_fields = fields


class NewUser(serializers.Serializer[Any]):
    """A service account has no password and wants a team."""

    username = serializers.CharField(max_length=150)
    password = serializers.CharField(max_length=1000, required=False, trim_whitespace=False)
    is_admin = serializers.BooleanField(default=False)
    is_service = serializers.BooleanField(default=False)
    team = serializers.CharField(required=False)
    role = serializers.ChoiceField(_ROLES, default=Role.MEMBER.value)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Exactly one of: a password, being a service account of a team. People need none where none are taken."""
        needs_one = not attrs["is_service"] and settings.PASSWORD_SIGN_IN
        if needs_one != ("password" in attrs) and (needs_one or attrs["is_service"]):
            raise serializers.ValidationError({"password": "A person wants a password, a service account has none."})
        if attrs["is_service"] and "team" not in attrs:
            raise serializers.ValidationError({"team": "A service account belongs to a team."})
        return attrs


class UserChange(serializers.Serializer[Any]):
    """What administrators change."""

    is_admin = serializers.BooleanField(required=False)
    is_active = serializers.BooleanField(required=False)


class TeamShape(serializers.ModelSerializer[Team]):
    """A team; MLflow's workspace."""

    class Meta:
        model = Team
        fields = ("name", "description", "created_at")
        read_only_fields = fields


class NewTeam(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=63)
    description = serializers.CharField(max_length=2000, default="", allow_blank=True)


class TeamChange(serializers.Serializer[Any]):
    description = serializers.CharField(max_length=2000, allow_blank=True)


class MembershipShape(serializers.ModelSerializer[Membership]):
    """Somebody's role in a team."""

    username = serializers.CharField(source="user.username", read_only=True)
    team = serializers.CharField(source="team.name", read_only=True)
    role = serializers.ChoiceField(_ROLES, read_only=True)

    class Meta:
        model = Membership
        fields = ("username", "team", "role", "created_at")
        read_only_fields = fields


class RoleChange(serializers.Serializer[Any]):
    role = serializers.ChoiceField(_ROLES)


class GrantShape(serializers.ModelSerializer[Grant]):
    """A level on one object, for a person or a team."""

    object_id = serializers.CharField(read_only=True)
    user = serializers.CharField(source="user.username", default=None, read_only=True, allow_null=True)
    team = serializers.CharField(source="team.name", default=None, read_only=True, allow_null=True)
    level = serializers.SerializerMethodField()

    class Meta:
        model = Grant
        fields = ("id", "kind", "object_id", "user", "team", "level", "created_at")
        read_only_fields = fields

    @extend_schema_field(serializers.ChoiceField(list(LEVELS)))
    def get_level(self, grant: Grant) -> str:
        """As a word."""
        return Level(grant.level).word


class GrantObject(serializers.Serializer[Any]):
    """Which object: its kind, and its id as the protocol writes it."""

    kind = serializers.ChoiceField(ObjectKind.choices)
    object_id = serializers.CharField(max_length=255)


class NewGrant(GrantObject):
    """To a person or to a team."""

    user = serializers.CharField(required=False)
    team = serializers.CharField(required=False)
    level = serializers.ChoiceField(list(LEVELS))

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Exactly one holder."""
        if ("user" in attrs) == ("team" in attrs):
            raise serializers.ValidationError({"user": "Name either a user or a team."})
        return attrs


class TokenShape(serializers.ModelSerializer[Token]):
    """A token without its secret, which is nowhere kept."""

    user = serializers.CharField(source="user.username", read_only=True)
    team = serializers.CharField(source="team.name", default=None, read_only=True, allow_null=True)
    scopes = serializers.SerializerMethodField()

    class Meta:
        model = Token
        fields: tuple[str, ...] = (
            "id",
            "name",
            "key_id",
            "user",
            "team",
            "scopes",
            "created_at",
            "expires_at",
            "last_used_at",
            "revoked_at",
        )
        read_only_fields: tuple[str, ...] = fields

    @extend_schema_field(serializers.ListField(child=serializers.ChoiceField(_SCOPES)))
    def get_scopes(self, token: Token) -> list[str]:
        """In alphabetical order."""
        return sorted(token.scope_set)


class MadeTokenShape(TokenShape):
    """A token just made, with its text, which nothing can show again."""

    token = serializers.CharField(source="text", read_only=True)

    class Meta(TokenShape.Meta):
        fields = (*TokenShape.Meta.fields, "token")
        read_only_fields = fields


class NewToken(serializers.Serializer[Any]):
    """`user` names a service account; without it the token is one's own."""

    name = serializers.CharField(max_length=100)
    user = serializers.CharField(required=False)
    team = serializers.CharField(required=False)
    scopes = serializers.ListField(
        child=serializers.ChoiceField(_SCOPES), required=False, allow_empty=False, max_length=len(_SCOPES)
    )
    expires_at = serializers.DateTimeField(required=False, allow_null=True)


class OwnTeam(serializers.Serializer[Any]):
    name = serializers.CharField()
    role = serializers.ChoiceField(_ROLES)


class MeShape(serializers.Serializer[Any]):
    """Who the credentials stand for. `team` is what the call speaks for, without the header of another."""

    username = serializers.CharField()
    is_admin = serializers.BooleanField()
    via = serializers.CharField()
    scopes = serializers.ListField(child=serializers.ChoiceField(_SCOPES))
    team = serializers.CharField(allow_null=True)
    teams = OwnTeam(many=True)
