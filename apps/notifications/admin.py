"""Django's admin shows who is told what, and changes none of it. What is sealed stays so: no field of it is here."""

from __future__ import annotations

from django.contrib import admin

from apps.accounts.admin import ReadOnlyAdmin
from apps.notifications.models import Delivery, MailOut, MailPreference, Notification, Subscription, Webhook


@admin.register(Webhook)
class WebhookAdmin(ReadOnlyAdmin):
    list_display = ("name", "dialect", "status", "team", "failures")
    list_filter = ("dialect", "status")
    list_select_related = ("team",)
    search_fields = ("name",)
    # Not the URL either: those of chats are secrets.
    fields = ("name", "description", "dialect", "events", "status", "team", "kind", "object_id", "owner", "verify_tls")


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    list_display = ("event", "webhook", "state", "attempts", "status", "created_at")
    list_filter = ("state",)
    list_select_related = ("webhook",)
    fields = ("webhook", "event", "state", "is_test", "attempts", "status", "error", "created_at", "finished_at")


@admin.register(Notification)
class NotificationAdmin(ReadOnlyAdmin):
    list_display = ("user", "topic", "text", "created_at", "read_at")
    list_filter = ("topic",)
    list_select_related = ("user",)
    search_fields = ("user__username", "object_name")


@admin.register(MailOut)
class MailOutAdmin(ReadOnlyAdmin):
    list_display = ("user", "subject", "attempts", "created_at", "finished_at")
    list_select_related = ("user",)
    search_fields = ("user__username", "subject")


@admin.register(MailPreference)
class MailPreferenceAdmin(ReadOnlyAdmin):
    list_display = ("user", "timing")
    list_filter = ("timing",)
    list_select_related = ("user",)


@admin.register(Subscription)
class SubscriptionAdmin(ReadOnlyAdmin):
    list_display = ("user", "kind", "object_id", "choice")
    list_filter = ("choice",)
    list_select_related = ("user",)
    search_fields = ("user__username",)
