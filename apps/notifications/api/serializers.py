"""Shapes of the API. Readers take a body apart and never write; what may be done is the actions' to say."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.accounts.models import ObjectKind
from apps.notifications.actions.webhooks import LONGEST_DESCRIPTION, LONGEST_SECRET
from apps.notifications.dialects import DIALECTS
from apps.notifications.models import (
    Choice,
    Delivery,
    DeliveryState,
    MailTiming,
    Notification,
    Subscription,
    Webhook,
    WebhookStatus,
)

_MOST_EVENTS = 100


class NotificationShape(serializers.ModelSerializer[Notification]):
    """A line of one's inbox."""

    team = serializers.CharField(source="team.name", read_only=True)
    unread = serializers.BooleanField(source="is_unread", read_only=True)

    class Meta:
        model = Notification
        fields = (
            "id",
            "topic",
            "team",
            "kind",
            "object_id",
            "object_name",
            "actor_name",
            "text",
            "url",
            "is_mention",
            "unread",
            "created_at",
            "read_at",
            "done_at",
        )
        read_only_fields = fields


class NotificationQuery(serializers.Serializer[Any]):
    state = serializers.ChoiceField(["all", "unread"], default="all")


class CountShape(serializers.Serializer[Any]):
    unread = serializers.IntegerField()


class WebhookShape(serializers.ModelSerializer[Webhook]):
    """A webhook. Whether it has a secret is told, never which."""

    id = serializers.UUIDField(source="uid", read_only=True)
    team = serializers.CharField(source="team.name", read_only=True, allow_null=True, default=None)
    owner = serializers.CharField(source="owner.username", read_only=True, allow_null=True, default=None)
    events = serializers.ListField(child=serializers.CharField(), read_only=True)
    has_secret = serializers.SerializerMethodField()
    has_authorization = serializers.SerializerMethodField()

    class Meta:
        model = Webhook
        fields = (
            "id",
            "name",
            "description",
            "url",
            "job",
            "job_entry_point",
            "dialect",
            "events",
            "status",
            "team",
            "kind",
            "object_id",
            "owner",
            "verify_tls",
            "has_secret",
            "has_authorization",
            "created_at",
            "changed_at",
        )
        read_only_fields = fields

    def get_has_secret(self, hook: Webhook) -> bool:
        return bool(hook.sealed_secret)

    def get_has_authorization(self, hook: Webhook) -> bool:
        return bool(hook.sealed_authorization)


class WebhookChange(serializers.Serializer[Any]):
    """What can be changed; an empty secret or authorization removes it.

    With `job`, the number of a project or `team/name`, it starts a run in place of calling a URL. The run is the
    owner's. Its parameter `event` is the body as JSON; `model`, `version` and `stage` come where they are declared.
    """

    name = serializers.CharField(max_length=63)
    description = serializers.CharField(max_length=LONGEST_DESCRIPTION, required=False, allow_blank=True)
    url = serializers.CharField(max_length=2048, required=False)
    job = serializers.CharField(max_length=200, required=False)
    job_entry_point = serializers.CharField(max_length=250, required=False, allow_blank=True)
    events = serializers.ListField(child=serializers.CharField(max_length=64), min_length=1, max_length=_MOST_EVENTS)
    status = serializers.ChoiceField(WebhookStatus.choices, required=False)
    secret = serializers.CharField(max_length=LONGEST_SECRET, required=False, allow_blank=True, trim_whitespace=False)
    authorization = serializers.CharField(max_length=LONGEST_SECRET, required=False, allow_blank=True)
    verify_tls = serializers.BooleanField(required=False)


class NewWebhook(WebhookChange):
    """`kind` and `object` name one object, `team` a whole team, neither all of the site.

    `object` is a name in the team that the call speaks for, or `id:` and its number, which works across teams.
    """

    dialect = serializers.ChoiceField(list(DIALECTS), default="generic")
    team = serializers.CharField(max_length=63, required=False)
    kind = serializers.ChoiceField(ObjectKind.choices, required=False)
    object = serializers.CharField(max_length=512, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """A URL or a job; an object has a kind, and its team is known."""
        if ("url" in attrs) == ("job" in attrs):
            raise serializers.ValidationError({"url": "Give a URL to call, or a job to start."})
        if ("kind" in attrs) != ("object" in attrs):
            raise serializers.ValidationError({"object": "An object is named by kind and object together."})
        if "object" in attrs and "team" in attrs:
            raise serializers.ValidationError({"team": "An object has its team; name one of the two."})
        return attrs


class TestCall(serializers.Serializer[Any]):
    event = serializers.CharField(max_length=64, required=False, allow_blank=True, default="")


class DeliveryShape(serializers.ModelSerializer[Delivery]):
    """One call of a webhook: what was sent, how often, and what came back (the first 4096 characters)."""

    webhook = serializers.UUIDField(source="webhook.uid", read_only=True)
    uid = serializers.UUIDField(read_only=True)

    class Meta:
        model = Delivery
        fields = (
            "id",
            "uid",
            "webhook",
            "event",
            "state",
            "is_test",
            "attempts",
            "next_at",
            "status",
            "error",
            "payload",
            "answer",
            "created_at",
            "finished_at",
        )
        read_only_fields = fields


class DeliveryQuery(serializers.Serializer[Any]):
    state = serializers.ChoiceField(DeliveryState.choices, required=False)


class SubscriptionShape(serializers.ModelSerializer[Subscription]):
    """How much one hears of an object."""

    class Meta:
        model = Subscription
        fields = ("kind", "object_id", "choice")
        read_only_fields = fields


class NewSubscription(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(ObjectKind.choices)
    object = serializers.CharField(max_length=512)
    choice = serializers.ChoiceField(Choice.choices)


class PreferencesShape(serializers.Serializer[Any]):
    """`topics` has every topic; null stands for the topic's own default."""

    mail = serializers.ChoiceField(MailTiming.choices)
    topics = serializers.DictField(child=serializers.ChoiceField(Choice.choices, allow_null=True))


class PreferencesChange(serializers.Serializer[Any]):
    mail = serializers.ChoiceField(MailTiming.choices, required=False)
    topics = serializers.DictField(child=serializers.ChoiceField(Choice.choices, allow_null=True), required=False)
