from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from apps.accounts.models import ObjectKind, Team
from apps.notifications.querysets import NotificationQuerySet


class Notification(models.Model):
    """One line of somebody's inbox, in frozen words: `text` is a sentence, `url` the path of the page it is about.

    Lines of one `group` ask for the same thing; they are done together once it is decided.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="+")
    topic = models.CharField(max_length=64)
    kind = models.CharField(max_length=32, choices=ObjectKind.choices)
    object_id = models.BigIntegerField()
    object_name = models.CharField(max_length=512)
    actor_name = models.CharField(max_length=150)
    text = models.TextField()
    url = models.CharField(max_length=1024, blank=True)
    group = models.CharField(max_length=128, blank=True)
    is_mention = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    read_at = models.DateTimeField(null=True, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)

    objects = NotificationQuerySet.as_manager()

    class Meta:
        ordering = ("-pk",)
        indexes = [
            models.Index("user", models.F("id").desc(), name="notification_inbox"),
            models.Index(
                "user",
                models.F("id").desc(),
                name="notification_unread",
                condition=Q(read_at__isnull=True, done_at__isnull=True),
            ),
            models.Index(fields=("group",), name="notification_open_group", condition=Q(done_at__isnull=True)),
            models.Index(fields=("kind", "object_id"), name="notification_object"),
            models.Index(fields=("created_at",), name="notification_age"),
        ]

    def __str__(self) -> str:
        return self.text

    @property
    def is_unread(self) -> bool:
        """Neither read nor decided meanwhile."""
        return self.read_at is None and self.done_at is None
