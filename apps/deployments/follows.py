"""What a deployment follows, as one value: a stage or alias of its model, and what happens when that moves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from apps.core.errors import InvalidInput
from apps.deployments.models import Deployment, Following, FollowMode
from apps.registry.models import Alias, ModelVersion, RegisteredModel
from apps.registry.stages import ACTIVE, Stage


@dataclass(frozen=True, slots=True)
class Follow:
    """`name` is a stage or an alias; empty where people choose."""

    kind: Following = Following.FIXED
    name: str = ""
    mode: FollowMode = FollowMode.PROPOSE

    @classmethod
    def of(cls, deployment: Deployment) -> Follow:
        """What a deployment follows."""
        return cls(Following(deployment.follows), deployment.followed, FollowMode(deployment.follow_mode))

    def put_on(self, deployment: Deployment) -> None:
        """Write it into a row, which the caller saves."""
        deployment.follows, deployment.followed, deployment.follow_mode = self.kind, self.name, self.mode

    def to_json(self) -> dict[str, Any]:
        """As events and the API have it."""
        return {"follows": self.kind.value, "followed": self.name, "follow_mode": self.mode.value}


def check_follow(follow: Follow, model: RegisteredModel) -> None:
    """Raises `InvalidInput` for what can't be followed. An alias may point at nothing yet."""
    match follow.kind:
        case Following.FIXED if follow.name:
            raise InvalidInput("followed is given with a stage or an alias to follow alone.")
        case Following.STAGE if follow.name not in {stage.value for stage in ACTIVE}:
            names = ", ".join(stage.value for stage in ACTIVE)
            raise InvalidInput(f"{model.name}: '{follow.name[:100]}' is no stage that can be followed: {names}.")
        case Following.ALIAS if not follow.name or len(follow.name) > 255 or "\x00" in follow.name:
            raise InvalidInput("followed: name the alias to follow.")


def decided_against(deployment: Deployment, version_id: int | None) -> int | None:
    """What following must not bring back once people choose a version: the one that they leave, where the stage or
    alias has that now, else what they decided against before.
    """
    left, followed = deployment.wanted.version_id if deployment.wanted else None, version_followed(deployment)
    if followed is not None and followed.pk == left != version_id:
        return left
    return deployment.dismissed_id if deployment.dismissed_id != version_id else None


def version_followed(deployment: Deployment) -> ModelVersion | None:
    """The version that the stage or alias of a deployment has now, with model and team; None where it has none.

    Of several in a stage the one of the highest number.
    """
    if deployment.follows == Following.FIXED or deployment.model_id is None:
        return None
    found = ModelVersion.objects.filter(model=deployment.model_id).select_related("model__team")
    if deployment.follows == Following.STAGE:
        return found.filter(stage=Stage(deployment.followed).value).order_by("-number").first()
    pointing = Alias.objects.filter(model=deployment.model_id, name=deployment.followed).values("version")
    return found.filter(pk__in=pointing).first()
