from __future__ import annotations

from django.db import transaction
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts import access, actions
from apps.accounts.api import serializers as shapes
from apps.accounts.kinds import kind_of
from apps.accounts.models import Grant, Membership, ObjectKind, Team, Token, User
from apps.accounts.tokens import TokenText
from apps.core.actor import Actor, Level, Role, Scope
from apps.core.rules import Rule
from apps.core.viewsets import ApiViewSet

_NAME = r"[^/]+"
_NOTHING = {204: None}


class MeView(APIView):
    """Who the credentials stand for."""

    rule = Rule.SIGNED_IN
    scope = None

    @extend_schema(responses=shapes.MeShape, operation_id="me")
    def get(self, request: Request) -> Response:
        actor: Actor = request._request.actor  # type: ignore[attr-defined]
        names = dict(Team.objects.visible_to(actor).values_list("pk", "name"))
        shown = {
            "username": actor.username,
            "is_admin": actor.is_admin,
            "via": actor.via.value,
            "scopes": sorted(actor.scopes),
            "team": names.get(actor.team_id or 0),
            "teams": [{"name": names[team], "role": role} for team, role in actor.roles.items()],
        }
        return Response(shapes.MeShape(shown).data)


class UserViewSet(ApiViewSet):
    """People and service accounts. One sees those of one's teams; administrators make and change them."""

    queryset = User.objects.none()
    serializer_class = shapes.UserShape
    lookup_field = "username"
    lookup_value_regex = _NAME
    keyset = "username"

    def list(self, request: Request) -> Response:
        return self.page(User.objects.visible_to(self.actor))

    def retrieve(self, request: Request, username: str) -> Response:
        return Response(shapes.UserShape(access.get_user(self.actor, username)).data)

    @extend_schema(request=shapes.NewUser, responses={201: shapes.UserShape})
    def create(self, request: Request) -> Response:
        access.require_admin(self.actor)
        given = self.parsed(shapes.NewUser)
        team = access.get_team(self.actor, given["team"]) if "team" in given else None
        user = actions.create_user(
            self.actor,
            username=given["username"],
            password=given.get("password"),
            is_admin=given["is_admin"],
            is_service=given["is_service"],
            team=team,
            role=Role(given["role"]),
        )
        return Response(shapes.UserShape(user).data, 201)

    @extend_schema(request=shapes.UserChange, responses=shapes.UserShape)
    def partial_update(self, request: Request, username: str) -> Response:
        user = access.get_user(self.actor, username)
        access.require_admin(self.actor)
        given = self.parsed(shapes.UserChange)
        with transaction.atomic():
            if "is_active" in given:
                actions.set_active(self.actor, user=user, is_active=given["is_active"])
            if "is_admin" in given:
                actions.set_admin(self.actor, user=user, is_admin=given["is_admin"])
        return Response(shapes.UserShape(user).data)

    @extend_schema(responses=_NOTHING)
    def destroy(self, request: Request, username: str) -> Response:
        user = access.get_user(self.actor, username)
        access.require_admin(self.actor)
        actions.delete_user(self.actor, user=user)
        return Response(status=204)


class TeamViewSet(ApiViewSet):
    """Teams one is in; all of them for administrators."""

    queryset = Team.objects.none()
    serializer_class = shapes.TeamShape
    lookup_field = "name"
    lookup_value_regex = _NAME
    keyset = "name"

    def list(self, request: Request) -> Response:
        return self.page(Team.objects.visible_to(self.actor))

    def retrieve(self, request: Request, name: str) -> Response:
        return Response(shapes.TeamShape(access.get_team(self.actor, name)).data)

    @extend_schema(request=shapes.NewTeam, responses={201: shapes.TeamShape})
    def create(self, request: Request) -> Response:
        access.require_admin(self.actor)
        team = actions.create_team(self.actor, **self.parsed(shapes.NewTeam))
        return Response(shapes.TeamShape(team).data, 201)

    @extend_schema(request=shapes.TeamChange, responses=shapes.TeamShape)
    def partial_update(self, request: Request, name: str) -> Response:
        team = access.get_team(self.actor, name, Role.ADMIN)
        actions.describe_team(self.actor, team=team, **self.parsed(shapes.TeamChange))
        return Response(shapes.TeamShape(team).data)

    @extend_schema(responses=_NOTHING)
    def destroy(self, request: Request, name: str) -> Response:
        team = access.get_team(self.actor, name)
        access.require_admin(self.actor)
        actions.delete_team(self.actor, team=team)
        return Response(status=204)


class MembershipViewSet(ApiViewSet):
    """The members of a team; its administrators change them."""

    queryset = Membership.objects.none()
    serializer_class = shapes.MembershipShape
    lookup_field = "username"
    lookup_value_regex = _NAME
    keyset = "pk"

    def list(self, request: Request, team: str) -> Response:
        found = access.get_team(self.actor, team)
        return self.page(Membership.objects.filter(team=found).select_related("user", "team"))

    @extend_schema(request=shapes.RoleChange, responses={200: shapes.MembershipShape, 201: shapes.MembershipShape})
    def update(self, request: Request, team: str, username: str) -> Response:
        """Add somebody, or give a member another role."""
        found = access.get_team(self.actor, team, Role.ADMIN)
        user = access.find_person(self.actor, username)
        role = Role(self.parsed(shapes.RoleChange)["role"])
        is_new = not found.memberships.filter(user=user).exists()
        put = actions.add_member if is_new else actions.set_role
        membership = put(self.actor, team=found, user=user, role=role)
        return Response(shapes.MembershipShape(membership).data, 201 if is_new else 200)

    @extend_schema(responses=_NOTHING)
    def destroy(self, request: Request, team: str, username: str) -> Response:
        found = access.get_team(self.actor, team, Role.ADMIN)
        actions.remove_member(self.actor, team=found, user=access.get_user(self.actor, username))
        return Response(status=204)


class GrantViewSet(ApiViewSet):
    """How an object is shared, for those who manage it."""

    queryset = Grant.objects.none()
    serializer_class = shapes.GrantShape
    lookup_value_regex = r"\d{1,18}"
    keyset = "pk"

    @extend_schema(
        parameters=[
            OpenApiParameter("kind", str, enum=ObjectKind.values, required=True),
            OpenApiParameter("object_id", str, required=True),
        ]
    )
    def list(self, request: Request) -> Response:
        asked = self.parsed_query(shapes.GrantObject)
        target = kind_of(ObjectKind(asked["kind"])).find(self.actor, asked["object_id"], Level.MANAGE)
        found = Grant.objects.filter(kind=target.kind, object_id=target.object_id)
        return self.page(found.select_related("user", "team"))

    @extend_schema(request=shapes.NewGrant, responses={201: shapes.GrantShape})
    def create(self, request: Request) -> Response:
        """Share an object; a second grant to the same holder replaces the first."""
        given = self.parsed(shapes.NewGrant)
        target = kind_of(ObjectKind(given["kind"])).find(self.actor, given["object_id"], Level.MANAGE)
        to: User | Team = (
            access.find_person(self.actor, given["user"])
            if "user" in given
            else access.find_team(self.actor, given["team"])
        )
        grant = actions.give_grant(self.actor, target=target, to=to, level=shapes.LEVELS[given["level"]])
        return Response(shapes.GrantShape(grant).data, 201)

    @extend_schema(responses=_NOTHING)
    def destroy(self, request: Request, pk: str) -> Response:
        target, holder = access.get_grant(self.actor, int(pk))
        actions.revoke_grant(self.actor, target=target, to=holder)
        return Response(status=204)


class TokenViewSet(ApiViewSet):
    """One's own tokens; administrators see all of them."""

    queryset = Token.objects.none()
    serializer_class = shapes.TokenShape
    lookup_value_regex = r"\d{1,18}"

    def list(self, request: Request) -> Response:
        return self.page(Token.objects.visible_to(self.actor).select_related("user", "team"))

    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(shapes.TokenShape(access.get_token(self.actor, int(pk))).data)

    @extend_schema(request=shapes.NewToken, responses={201: shapes.MadeTokenShape})
    def create(self, request: Request) -> Response:
        """A new token. The answer alone shows its text."""
        given = self.parsed(shapes.NewToken)
        made = actions.create_token(
            self.actor,
            user=access.get_token_owner(self.actor, given.get("user", self.actor.username)),
            name=given["name"],
            team=access.get_team(self.actor, given["team"]) if "team" in given else None,
            scopes=[Scope(scope) for scope in given.get("scopes", [Scope.ALL])],
            expires_at=given.get("expires_at"),
        )
        return _shown_once(*made)

    @extend_schema(request=None, responses={201: shapes.MadeTokenShape})
    @action(detail=True, methods=["post"])
    def rotate(self, request: Request, pk: str) -> Response:
        """A new token like this one, which ends a day later."""
        return _shown_once(*actions.rotate_token(self.actor, token=access.get_token(self.actor, int(pk))))

    @extend_schema(responses=_NOTHING)
    def destroy(self, request: Request, pk: str) -> Response:
        """Revoke it at once. Twice changes nothing."""
        actions.revoke_token(self.actor, token=access.get_token(self.actor, int(pk)))
        return Response(status=204)


def _shown_once(token: Token, text: TokenText) -> Response:
    token.text = str(text)  # type: ignore[attr-defined]
    return Response(shapes.MadeTokenShape(token).data, 201, headers={"Cache-Control": "no-store"})
