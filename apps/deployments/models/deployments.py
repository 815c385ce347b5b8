from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Team
from apps.deployments.querysets import DeploymentQuerySet
from apps.registry.models import ModelVersion, RegisteredModel


class Following(models.TextChoices):
    """What decides which version a deployment serves. `FIXED`: people alone."""

    FIXED = "fixed", _("a version that people choose")
    STAGE = "stage", _("whatever is in a stage")
    ALIAS = "alias", _("whatever an alias points at")


class FollowMode(models.TextChoices):
    """What happens when the stage or alias has another version."""

    PROPOSE = "propose", _("propose the change")
    APPLY = "apply", _("make the change")


class Deployment(models.Model):
    """A named endpoint: what it serves (by revisions), how its traffic is split (by routes), and what it follows.

    Rows say what people want. What is observed of it stands in revisions and instances, and is written by the
    supervisor alone. Names are unique on the site, whatever their case, since they are part of an address.
    """

    name = models.CharField(max_length=63)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="deployments", db_index=False)
    description = models.TextField(blank=True, max_length=10_000)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    model = models.ForeignKey(RegisteredModel, null=True, on_delete=models.SET_NULL, related_name="deployments")
    # Stopped: nothing of it runs, and its address answers 503.
    is_stopped = models.BooleanField(default=False)
    follows = models.CharField(max_length=8, choices=Following.choices, default=Following.FIXED)
    # A stage or an alias; empty for fixed ones.
    followed = models.CharField(max_length=255, blank=True)
    follow_mode = models.CharField(max_length=8, choices=FollowMode.choices, default=FollowMode.PROPOSE)
    # What following found and nobody has decided about; a version that was dismissed is not proposed again.
    proposed = models.ForeignKey(ModelVersion, null=True, on_delete=models.SET_NULL, related_name="+")
    dismissed = models.ForeignKey(ModelVersion, null=True, on_delete=models.SET_NULL, related_name="+")
    # A version has to be in one of these stages to be deployed here; none named: any will do.
    stages = models.JSONField(default=list)
    # What new revisions are made with (`apps.deployments.configuration.Config`): as the one that is wanted, whose own
    # stays what it is.
    config = models.JSONField(default=dict)
    # What all is moving to. Routes say what traffic goes to meanwhile.
    wanted = models.ForeignKey("Revision", null=True, on_delete=models.SET_NULL, related_name="+")
    # An HTTP port of its own besides the gateway's address; null: none. `port_open`: without a token, on any address.
    port = models.PositiveIntegerField(null=True, blank=True, unique=True)
    port_host = models.CharField(max_length=64, default="127.0.0.1")
    port_open = models.BooleanField(default=False)
    # Why the port can't be had, as its listener found; a sentence or empty.
    port_error = models.CharField(max_length=500, blank=True)
    created_ms = models.BigIntegerField()
    updated_ms = models.BigIntegerField()

    objects = DeploymentQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(Lower("name"), name="deployment_name_once")]
        indexes = [models.Index(fields=("team", "-updated_ms"), name="deployment_recent")]

    def __str__(self) -> str:
        return self.name
