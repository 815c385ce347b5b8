"""Django's admin shows the registry and changes none of it: each change has its action, which checks and records it."""

from __future__ import annotations

from django.contrib import admin

from apps.accounts.admin import ReadOnlyAdmin
from apps.registry.models import (
    Alias,
    ApproverGroup,
    Check,
    Comment,
    Decision,
    GateResult,
    ModelVersion,
    Override,
    Placement,
    Policy,
    PromotionRequest,
    RegisteredModel,
)


@admin.register(RegisteredModel)
class RegisteredModelAdmin(ReadOnlyAdmin):
    list_display = ("name", "team", "is_prompt", "last_number", "owner")
    list_filter = ("is_prompt", "team")
    list_select_related = ("team", "owner")
    search_fields = ("name",)


@admin.register(ModelVersion)
class ModelVersionAdmin(ReadOnlyAdmin):
    list_display = ("model", "number", "stage", "status", "source", "owner")
    list_filter = ("stage", "status")
    list_select_related = ("model", "owner")
    search_fields = ("model__name", "run_id")


@admin.register(Alias)
class AliasAdmin(ReadOnlyAdmin):
    list_display = ("name", "model", "version")
    list_select_related = ("model", "version__model")
    search_fields = ("name", "model__name")


@admin.register(Policy)
class PolicyAdmin(ReadOnlyAdmin):
    list_display = ("slot_name", "team", "model", "approvals", "is_final", "revision", "changed_by")
    list_filter = ("slot_kind", "is_final")
    list_select_related = ("team", "model")
    search_fields = ("slot_name", "model__name", "team__name")


@admin.register(ApproverGroup)
class ApproverGroupAdmin(ReadOnlyAdmin):
    list_display = ("name", "team", "description")
    list_select_related = ("team",)
    search_fields = ("name",)


@admin.register(PromotionRequest)
class PromotionRequestAdmin(ReadOnlyAdmin):
    list_display = ("id", "version", "slot_name", "kind", "state", "round", "requester_name", "closed_by")
    list_filter = ("state", "kind")
    list_select_related = ("version__model",)
    search_fields = ("version__model__name", "requester_name")


@admin.register(Decision)
class DecisionAdmin(ReadOnlyAdmin):
    list_display = ("user_name", "approves", "request", "round")
    list_filter = ("approves",)
    list_select_related = ("request__version__model",)
    search_fields = ("user_name",)


@admin.register(GateResult)
class GateResultAdmin(ReadOnlyAdmin):
    list_display = ("kind", "state", "request", "round", "text")
    list_filter = ("kind", "state")
    list_select_related = ("request__version__model",)
    search_fields = ("text",)


@admin.register(Placement)
class PlacementAdmin(ReadOnlyAdmin):
    list_display = ("model_name", "number", "slot_name", "entered_by", "left_by", "is_rollback", "is_override")
    list_filter = ("slot_kind", "is_rollback", "is_override")
    search_fields = ("model_name", "entered_by")


@admin.register(Override)
class OverrideAdmin(ReadOnlyAdmin):
    list_display = ("model_name", "number", "slot_name", "made_by", "reviewed_by")
    search_fields = ("model_name", "made_by")


@admin.register(Check)
class CheckAdmin(ReadOnlyAdmin):
    list_display = ("name", "version", "state", "reporter_name")
    list_filter = ("state",)
    list_select_related = ("version__model",)
    search_fields = ("name", "reporter_name")


@admin.register(Comment)
class CommentAdmin(ReadOnlyAdmin):
    list_display = ("author_name", "version", "text")
    list_select_related = ("version__model",)
    search_fields = ("author_name",)
