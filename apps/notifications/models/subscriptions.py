from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import ObjectKind
from apps.notifications.querysets import SubscriptionQuerySet


class Choice(models.TextChoices):
    """How much somebody wants to hear. Mentions always reach."""

    ALL = "all", _("everything")
    DEFAULT = "default", _("what concerns me")
    NONE = "none", _("nothing but mentions")


class Subscription(models.Model):
    """How much somebody wants to hear of one object. No row stands for `DEFAULT`."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=32, choices=ObjectKind.choices)
    object_id = models.BigIntegerField()
    choice = models.CharField(max_length=8, choices=Choice.choices)

    objects = SubscriptionQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=("kind", "object_id", "user"), name="subscription_once")]

    def __str__(self) -> str:
        return f"{self.user} of {self.kind} {self.object_id}: {self.choice}"


class TopicPreference(models.Model):
    """How much somebody wants to hear of one topic, whatever the object. No row stands for the topic's own default."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    topic = models.CharField(max_length=64)
    choice = models.CharField(max_length=8, choices=Choice.choices)

    class Meta:
        constraints = [models.UniqueConstraint(fields=("user", "topic"), name="topic_preference_once")]
        indexes = [models.Index(fields=("topic",), name="topic_preference_all", condition=Q(choice=Choice.ALL))]

    def __str__(self) -> str:
        return f"{self.user} of {self.topic}: {self.choice}"
