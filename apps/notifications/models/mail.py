from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class MailTiming(models.TextChoices):
    """When somebody gets mail about what is in the inbox."""

    AT_ONCE = "at_once", _("at once")
    DAILY = "daily", _("once a day")
    NONE = "none", _("never")


class MailPreference(models.Model):
    """When somebody gets mail. No row stands for `AT_ONCE`."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="mail_preference")
    timing = models.CharField(max_length=8, choices=MailTiming.choices, default=MailTiming.AT_ONCE)
    digest_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        indexes = [models.Index(fields=("digest_at",), name="mail_digest_due", condition=Q(timing=MailTiming.DAILY))]

    def __str__(self) -> str:
        return f"{self.user}: {self.timing}"


class MailOut(models.Model):
    """A mail to somebody. Pending while `finished_at` is empty; `error` says why the last try failed."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    subject = models.CharField(max_length=255)
    body = models.TextField()
    html = models.TextField(blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField(default=timezone.now)
    claimed_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    finished_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ("-pk",)
        indexes = [
            models.Index(fields=("next_at",), name="mail_due", condition=Q(finished_at__isnull=True)),
            models.Index(fields=("finished_at",), name="mail_age"),
        ]

    def __str__(self) -> str:
        return self.subject
