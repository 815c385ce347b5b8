"""Django's admin shows people and rights, and changes none: each change has its action, which checks and records it."""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.contrib.auth.models import Group
from django.http import HttpRequest

from apps.accounts.models import Grant, Membership, Team, Token, User

# What libraries bring along could be changed there past every action, and none of it is used here.
for brought in (EmailAddress, Group, SocialAccount, SocialApp, SocialToken, UserSession):
    admin.site.unregister(brought)


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not a generic at run time
    """Rows to look at. What may be done with them is under Settings."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class MembershipInline(admin.TabularInline):  # type: ignore[type-arg]
    """The teams of a person."""

    model = Membership
    fields = readonly_fields = ("team", "role", "created_at")
    can_delete = False
    max_num = 0

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(User)
class UserAdmin(ReadOnlyAdmin):
    list_display = ("username", "email", "is_active", "is_superuser", "is_service", "home_team", "last_login")
    list_filter = ("is_active", "is_superuser", "is_service")
    list_select_related = ("home_team",)
    search_fields = ("username", "first_name", "last_name", "email")
    fields = (
        ("username", "is_active", "is_superuser", "is_service"),
        ("first_name", "last_name", "email"),
        "home_team",
        ("date_joined", "last_login"),
    )
    inlines = (MembershipInline,)


@admin.register(Team)
class TeamAdmin(ReadOnlyAdmin):
    list_display = ("name", "description", "created_at")
    search_fields = ("name",)


@admin.register(Membership)
class MembershipAdmin(ReadOnlyAdmin):
    list_display = ("user", "team", "role", "created_at")
    list_filter = ("role",)
    list_select_related = ("user", "team")
    search_fields = ("user__username", "team__name")


@admin.register(Grant)
class GrantAdmin(ReadOnlyAdmin):
    list_display = ("kind", "object_id", "user", "team", "level", "created_at")
    list_filter = ("kind", "level")
    list_select_related = ("user", "team")


@admin.register(Token)
class TokenAdmin(ReadOnlyAdmin):
    list_display = ("name", "user", "team", "scopes", "project_run_id", "expires_at", "last_used_at", "revoked_at")
    list_filter = (("project_run_id", admin.EmptyFieldListFilter),)
    list_select_related = ("user", "team")
    search_fields = ("name", "user__username", "key_id")
    fields = (
        "name",
        "user",
        "team",
        "scopes",
        "project_run_id",
        "key_id",
        "created_at",
        "expires_at",
        "last_used_at",
        "revoked_at",
    )
