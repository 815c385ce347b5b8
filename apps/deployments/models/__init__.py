from apps.deployments.models.deployments import Deployment, Following, FollowMode
from apps.deployments.models.hosts import ALIVE_MS, LEADERSHIP, ServingHost, ServingLease
from apps.deployments.models.instances import Instance, InstanceLog, InstanceState
from apps.deployments.models.revisions import Revision, RevisionState, Route
from apps.deployments.models.traffic import ServingEpoch, TrafficMinute

__all__ = [
    "ALIVE_MS",
    "LEADERSHIP",
    "Deployment",
    "FollowMode",
    "Following",
    "Instance",
    "InstanceLog",
    "InstanceState",
    "Revision",
    "RevisionState",
    "Route",
    "ServingEpoch",
    "ServingHost",
    "ServingLease",
    "TrafficMinute",
]
