from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.deployments.addresses import serving_path
from apps.deployments.api.shapes.common import NUMBER, Strict, Words
from apps.deployments.models import Following, FollowMode
from apps.deployments.names import MAX_DESCRIPTION, MAX_REASON
from apps.deployments.selectors.records import DeploymentRecord
from apps.deployments.state_words import WORDS

_CONFIG = (
    "target, server, workers, instances, memory_mb, cpus, timeout_s, concurrency, max_body_mb, batching, network, "
    "keep_warm_s, sticky_header, calls_per_minute, env_vars. "
    "What is left out stays as it is, also of env_vars; null makes it usual."
)


class RouteShape(serializers.Serializer[Any]):
    """A revision with traffic: `weight` percent of it, answered by so many of the instances that it should have."""

    revision = serializers.IntegerField(source="revision.number")
    model = serializers.CharField(source="revision.model_name")
    version = serializers.IntegerField(source="revision.version_number")
    weight = serializers.IntegerField()
    instances_ready = serializers.IntegerField(source="ready")
    instances_wanted = serializers.IntegerField(source="wanted")


class DeploymentShape(serializers.Serializer[Any]):
    """A deployment. `state` in one word and `message` in a sentence; `revision` and `version` are what is wanted.

    `is_serving`: calls are answered now. `path`: where, below the site's address. Times are ms since the epoch.
    """

    id = serializers.CharField(source="deployment.pk")
    team = serializers.CharField(source="deployment.team.name")
    name = serializers.CharField(source="deployment.name")
    description = serializers.CharField(source="deployment.description")
    owner = serializers.CharField(source="deployment.owner.username", default=None, allow_null=True)
    model = serializers.CharField(source="deployment.model.name", default=None, allow_null=True)
    model_team = serializers.CharField(source="deployment.model.team.name", default=None, allow_null=True)
    state = serializers.ChoiceField(WORDS, source="state.word")
    message = serializers.CharField(source="state.sentence")
    is_serving = serializers.BooleanField(source="state.is_serving")
    is_stopped = serializers.BooleanField(source="deployment.is_stopped")
    revision = serializers.IntegerField(source="deployment.wanted.number", default=None, allow_null=True)
    version = serializers.IntegerField(source="deployment.wanted.version_number", default=None, allow_null=True)
    routes = RouteShape(many=True, source="state.serving")
    canaries = RouteShape(many=True, source="state.canaries", help_text="Revisions that get their traffic by hand.")
    follows = serializers.ChoiceField(Following.choices, source="deployment.follows")
    followed = serializers.CharField(source="deployment.followed")
    follow_mode = serializers.ChoiceField(FollowMode.choices, source="deployment.follow_mode")
    proposed_version = serializers.IntegerField(source="deployment.proposed.number", default=None, allow_null=True)
    path = serializers.SerializerMethodField()
    port = serializers.IntegerField(source="deployment.port", allow_null=True)
    port_host = serializers.CharField(source="deployment.port_host")
    port_open = serializers.BooleanField(source="deployment.port_open")
    created_ms = serializers.IntegerField(source="deployment.created_ms")
    updated_ms = serializers.IntegerField(source="deployment.updated_ms")

    def get_path(self, record: DeploymentRecord) -> str:
        """Where it is called."""
        return serving_path(record.deployment)


class DeploymentPageShape(DeploymentShape):
    """A deployment with its rules, and what new revisions are made with."""

    stages = serializers.ListField(child=serializers.CharField(), source="deployment.stages")
    config = serializers.DictField(child=serializers.JSONField(), help_text=_CONFIG)
    port_error = serializers.CharField(source="deployment.port_error", help_text="Why the port can't be had.")


class DeploymentQuery(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=63, required=False, help_text="Exactly this name.")
    text = serializers.CharField(max_length=63, required=False, help_text="Names, or names of models, that contain it.")
    team = serializers.CharField(max_length=63, required=False)
    model = serializers.CharField(max_length=256, required=False, help_text="Of a registered model.")
    version = serializers.IntegerField(required=False, help_text="Served now, or wanted.", **NUMBER)
    state = serializers.ChoiceField(WORDS, required=False)


class _Version(Strict):
    version = serializers.CharField(
        max_length=600,
        help_text="A number beside `model`, or models:/NAME/3, models:/NAME@ALIAS, models:/NAME/STAGE, models:/NAME.",
    )
    model = serializers.CharField(max_length=256, required=False, help_text="A registered model, beside a number.")
    model_team = serializers.CharField(
        max_length=63, required=False, help_text="The model's team, if not the caller's."
    )
    config = serializers.DictField(required=False, help_text=_CONFIG)


class DeploymentChange(Strict):
    """What is left out stays. For those who edit it the description, for those who manage it all."""

    description = Words(max_length=MAX_DESCRIPTION, required=False)
    follows = serializers.ChoiceField(Following.choices, required=False)
    followed = Words(max_length=255, required=False, help_text="The stage or alias.")
    follow_mode = serializers.ChoiceField(FollowMode.choices, required=False)
    stages = serializers.ListField(
        child=Words(max_length=20),
        required=False,
        max_length=10,
        help_text="Stages in which a version has to be to be deployed here; none: any.",
    )
    port = serializers.IntegerField(required=False, allow_null=True, min_value=0, max_value=2**31 - 1)
    port_host = Words(max_length=64, required=False)
    port_open = serializers.BooleanField(required=False, help_text="Without a token, on any address.")


class NewDeployment(DeploymentChange, _Version):
    """A version to serve under a name, in the team that the call speaks for."""

    name = Words(max_length=100, help_text="Small letters, digits and hyphens; unique on the site.")


class Deploying(_Version):
    """Another version, another configuration, or both. As a canary it gets its traffic by hand."""

    version = serializers.CharField(
        max_length=600, required=False, help_text="As for a new deployment; left out: the one that is wanted now."
    )
    canary = serializers.BooleanField(required=False, default=False)
    reason = Words(max_length=MAX_REASON, required=False, default="")


class RevisionRollback(Strict):
    """To a revision by its number; left out: the one that served before."""

    revision = serializers.IntegerField(required=False, **NUMBER)
    reason = Words(max_length=MAX_REASON, required=False, default="")


class RevisionRetry(Strict):
    """A revision that failed; left out: the one that is wanted."""

    revision = serializers.IntegerField(required=False, **NUMBER)


class Shift(Strict):
    """Percents by the number of a revision, 100 together."""

    weights = serializers.DictField(child=serializers.IntegerField(min_value=0, max_value=100), allow_empty=False)
    reason = Words(max_length=MAX_REASON, required=False, default="")


class EndCanary(Strict):
    """A canary by its number; left out: the only one there is."""

    revision = serializers.IntegerField(required=False, **NUMBER)
    reason = Words(max_length=MAX_REASON, required=False, default="")


class Scaling(Strict):
    instances = serializers.IntegerField(min_value=-(2**31), max_value=2**31 - 1)


class Acceptance(Strict):
    canary = serializers.BooleanField(required=False, default=False)
    reason = Words(max_length=MAX_REASON, required=False, default="")
