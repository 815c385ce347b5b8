"""Every write of this app: models and versions, and what moves them."""

from apps.registry.actions.adoption import adopt_model
from apps.registry.actions.aliases import delete_alias, set_alias
from apps.registry.actions.checks import report_check
from apps.registry.actions.comments import change_comment, comment_on, delete_comment
from apps.registry.actions.groups import change_group, create_group, delete_group
from apps.registry.actions.models import (
    create_model,
    delete_model,
    delete_model_tag,
    describe_model,
    rename_model,
    set_model_tag,
)
from apps.registry.actions.overrides import review_override
from apps.registry.actions.policies import delete_policy, restart_requests, set_policy
from apps.registry.actions.prompts import create_prompt, write_prompt
from apps.registry.actions.requests import approve_request, ask, cancel_request, expire_requests, reject_request
from apps.registry.actions.rollbacks import roll_back
from apps.registry.actions.stages import move_version
from apps.registry.actions.versions import (
    create_version,
    delete_version,
    delete_version_tag,
    describe_version,
    set_version_tag,
)

__all__ = [
    "adopt_model",
    "approve_request",
    "ask",
    "cancel_request",
    "change_comment",
    "change_group",
    "comment_on",
    "create_group",
    "create_model",
    "create_prompt",
    "create_version",
    "delete_alias",
    "delete_comment",
    "delete_group",
    "delete_model",
    "delete_model_tag",
    "delete_policy",
    "delete_version",
    "delete_version_tag",
    "describe_model",
    "describe_version",
    "expire_requests",
    "move_version",
    "reject_request",
    "rename_model",
    "report_check",
    "restart_requests",
    "review_override",
    "roll_back",
    "set_alias",
    "set_model_tag",
    "set_policy",
    "set_version_tag",
    "write_prompt",
]
