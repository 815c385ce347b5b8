"""What this app writes into the audit log."""

from __future__ import annotations

from apps.audit.codes import declare
from apps.audit.links import declare_page

DEPLOYMENT_CREATED = declare("deployment.created", "created the deployment {object}")
DEPLOYMENT_CHANGED = declare("deployment.changed", "changed the deployment {object}")
DEPLOYMENT_DELETED = declare("deployment.deleted", "deleted the deployment {object}")
DEPLOYMENT_STOPPED = declare("deployment.stopped", "stopped the deployment {object}")
DEPLOYMENT_STARTED = declare("deployment.started", "started the deployment {object}")
DEPLOYMENT_SCALED = declare("deployment.scaled", "changed how many instances {object} has")
REVISION_DEPLOYED = declare("deployment.revision_deployed", "deployed a new revision of {object}")
REVISION_ROLLED_BACK = declare("deployment.rolled_back", "rolled {object} back")
REVISION_SHIFTED = declare("deployment.traffic_shifted", "moved traffic of {object}")
REVISION_READY = declare("deployment.revision_ready", "made a revision of {object} ready")
REVISION_FAILED = declare("deployment.revision_failed", "could not make a revision of {object} ready")
VERSION_PROPOSED = declare("deployment.version_proposed", "proposed another version for {object}")
PROPOSAL_DISMISSED = declare("deployment.proposal_dismissed", "dismissed the version proposed for {object}")
PORT_OPENED = declare("deployment.port_opened", "opened the port of {object} to callers without a token")
PORT_CLOSED = declare("deployment.port_closed", "closed the port of {object} to callers without a token")

declare_page("deployment", "/deployments/{name}/")
