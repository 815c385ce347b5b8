from apps.registry.models.discussion import Check, CheckState, Comment
from apps.registry.models.history import Override, Placement
from apps.registry.models.policies import ApproverGroup, Policy, WhoMoves
from apps.registry.models.registered_models import RegisteredModel, RegisteredModelTag
from apps.registry.models.requests import (
    Decision,
    GateResult,
    GateState,
    PromotionRequest,
    RequestKind,
    RequestState,
)
from apps.registry.models.versions import Alias, ModelVersion, ModelVersionTag, VersionStatus

__all__ = [
    "Alias",
    "ApproverGroup",
    "Check",
    "CheckState",
    "Comment",
    "Decision",
    "GateResult",
    "GateState",
    "ModelVersion",
    "ModelVersionTag",
    "Override",
    "Placement",
    "Policy",
    "PromotionRequest",
    "RegisteredModel",
    "RegisteredModelTag",
    "RequestKind",
    "RequestState",
    "VersionStatus",
    "WhoMoves",
]
