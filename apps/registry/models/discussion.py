from __future__ import annotations

from django.conf import settings
from django.db import models

from apps.registry.models.versions import ModelVersion
from apps.registry.querysets import CommentQuerySet


class Comment(models.Model):
    """Somebody's words on a version, in Markdown."""

    version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="comments", db_index=False)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    author_name = models.CharField(max_length=150)
    text = models.TextField()
    created_ms = models.BigIntegerField()
    updated_ms = models.BigIntegerField()

    objects = CommentQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=("version", "created_ms"), name="comment_by_version")]

    def __str__(self) -> str:
        return f"{self.author_name} on {self.version}"


class CheckState(models.TextChoices):
    """How a check outside of this server went."""

    PENDING = "pending"
    PASSED = "passed"
    FAILED = "failed"


class Check(models.Model):
    """What a job outside (CI) says of a version. The last word of each reporter counts."""

    version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="checks", db_index=False)
    name = models.CharField(max_length=100)
    reporter = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    reporter_name = models.CharField(max_length=150)
    state = models.CharField(max_length=16, choices=CheckState.choices)
    text = models.CharField(max_length=1000, blank=True)
    url = models.URLField(max_length=2000, blank=True)
    created_ms = models.BigIntegerField()
    updated_ms = models.BigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=("version", "name", "reporter"), name="check_once")]

    def __str__(self) -> str:
        return f"{self.name}: {self.state}"
