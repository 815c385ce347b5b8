from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import ObjectKind, Team
from apps.notifications.querysets import DeliveryQuerySet, WebhookQuerySet


class WebhookStatus(models.TextChoices):
    """Only active ones are called by what happens; one in test mode is called by its test alone."""

    ACTIVE = "ACTIVE", _("active")
    DISABLED = "DISABLED", _("disabled")
    TEST_MODE = "TEST_MODE", _("test mode")


class Webhook(models.Model):
    """Somebody else's URL that is told what happens: to one object, in one team, or (without either) on the site.

    Or instead of a URL something here that is started then: a `job` (`apps.notifications.jobs`).

    `events` are words of the dialect. Secret and authorization are sealed (`apps.core.encryption`). `rests_until` is
    set after a failure, so that one that is down doesn't keep the others waiting.
    """

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=63)
    description = models.TextField(blank=True)
    url = models.CharField(max_length=2048, blank=True)
    job = models.CharField(max_length=64, blank=True)
    job_entry_point = models.CharField(max_length=250, blank=True)
    dialect = models.CharField(max_length=16)
    events = models.JSONField(default=list)
    status = models.CharField(max_length=16, choices=WebhookStatus.choices, default=WebhookStatus.ACTIVE)
    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=32, choices=ObjectKind.choices, blank=True)
    object_id = models.BigIntegerField(null=True, blank=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    sealed_secret = models.TextField(blank=True, editable=False)
    sealed_authorization = models.TextField(blank=True, editable=False)
    verify_tls = models.BooleanField(default=True)
    failures = models.PositiveIntegerField(default=0, editable=False)
    rests_until = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    changed_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = WebhookQuerySet.as_manager()

    class Meta:
        ordering = ("-pk",)
        indexes = [models.Index(fields=("kind", "object_id"), name="webhook_object")]

    def __str__(self) -> str:
        return self.name or self.url or f"job {self.job}"


class DeliveryState(models.TextChoices):
    """Where a delivery stands. A pending one is tried again until it is a day old."""

    PENDING = "pending", _("pending")
    DELIVERED = "delivered", _("delivered")
    FAILED = "failed", _("failed")


class Delivery(models.Model):
    """One call of a webhook. `uid` stays the same over all tries, so that the receiver can tell a repetition.

    Whoever holds `claimed_until` in the future sends it; what a killed sender held is sent again after that.
    """

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries", db_index=False)
    event = models.CharField(max_length=64)
    payload = models.TextField()
    state = models.CharField(max_length=16, choices=DeliveryState.choices, default=DeliveryState.PENDING)
    is_test = models.BooleanField(default=False)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(default=timezone.now)
    claimed_until = models.DateTimeField(null=True, blank=True)
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    answer = models.TextField(blank=True)
    error = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        ordering = ("-pk",)
        verbose_name_plural = "deliveries"
        indexes = [
            models.Index("webhook", models.F("id").desc(), name="delivery_of_webhook"),
            models.Index(fields=("next_at",), name="delivery_due", condition=Q(state="pending")),
            models.Index(fields=("webhook", "claimed_until"), name="delivery_held", condition=Q(state="pending")),
            models.Index(fields=("finished_at",), name="delivery_age"),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.uid}: {self.state}"
