"""Every write about deployments that people, rules and the supervisor make."""

from apps.deployments.actions.deployments import (
    create_deployment,
    delete_deployment,
    describe_deployment,
    set_port,
    set_rules,
    start_deployment,
    stop_deployment,
)
from apps.deployments.actions.following import accept_proposal, dismiss_proposal, follow_registry
from apps.deployments.actions.ports import note_port_error
from apps.deployments.actions.revisions import deploy_version, retry_revision, roll_back
from apps.deployments.actions.traffic import end_canary, scale, shift_traffic

__all__ = [
    "accept_proposal",
    "create_deployment",
    "delete_deployment",
    "deploy_version",
    "describe_deployment",
    "dismiss_proposal",
    "end_canary",
    "follow_registry",
    "note_port_error",
    "retry_revision",
    "roll_back",
    "scale",
    "set_port",
    "set_rules",
    "shift_traffic",
    "start_deployment",
    "stop_deployment",
]
