"""What the pages of deployments share."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.forms import BaseForm
from django.http import HttpRequest
from django.utils.translation import gettext as _

from apps.accounts.kinds import kind_of
from apps.accounts.models import ObjectKind
from apps.core.actor import Actor, Level
from apps.core.errors import AlreadyExists, DomainError, NotFound, PermissionDenied, TooLarge, Unavailable
from apps.core.http import ActorRequest
from apps.core.keys import parse_key
from apps.core.pages import MENDABLE
from apps.deployments import access
from apps.deployments.actions.revisions import revision_before
from apps.deployments.models import Deployment, Revision
from apps.deployments.selectors.states import DeploymentState, Part, state_of
from apps.deployments.selectors.traffic import Traffic, traffic_of_revisions
from apps.registry import access as registry
from apps.registry.models import ModelVersion, RegisteredModel

PAGE_SIZE = 50
_MAX_SEARCH = 200
# How refusals name what they are about: `config: … - at `$.memory_mb``, `config.sticky_header: …`, `port_host: …`.
_ABOUT = (
    re.compile(r"at `\$\.(\w+)"),
    re.compile(r"^config\.(\w+): "),
    re.compile(r"^(\w+): "),
    re.compile(r"^(port) has"),
)


@contextmanager
def refusals_in(form: BaseForm, field: str | None = None) -> Iterator[None]:
    """Show in the form what an action refuses: at the field it is about, where that can be told, else above it."""
    try:
        yield
    except (*MENDABLE, PermissionDenied, TooLarge, Unavailable) as error:
        name = _field_of(error) or field
        form.add_error(name if name in form.fields else None, error.message)


def frame(actor: Actor, deployment: Deployment, tab: str, state: DeploymentState | None = None) -> dict[str, Any]:
    """What every tab of a deployment's page shows around its own part."""
    level = access.level_of_deployment(actor, deployment)
    return {
        "deployment": deployment,
        "tab": tab,
        "state": state or state_of(deployment, with_versions=True),
        "share_key": kind_of(ObjectKind.DEPLOYMENT).key_of(deployment.pk),
        "may_edit": level >= Level.EDIT,
        "may_manage": level >= Level.MANAGE,
        "goal": revision_before(deployment),
    }


def compared_of(state: DeploymentState) -> list[tuple[Part, Traffic]]:
    """The revisions that matter with what each did of late. Two statements.

    Side by side they are compared under the same load: what was before a canary is nobody's merit or fault.
    """
    canary = state.canary
    since_ms = (canary.revision.ready_ms or canary.revision.created_ms) if canary else 0
    sides = traffic_of_revisions((side.revision.pk for side in state.parts), since_ms)
    return [(side, sides[side.revision.pk]) for side in state.parts]


def made_words(deployment: Deployment, revision: Revision) -> str:
    """What comes of a revision that was asked for."""
    if deployment.is_stopped:
        return _("Revision %s is made once the deployment is started.") % revision.number
    return _("Revision %s is being made ready.") % revision.number


def site_url(request: HttpRequest) -> str:
    """Where people reach this site, without a slash at the end."""
    return settings.PUBLIC_URL or request.build_absolute_uri("/").rstrip("/")


def asked_model(request: ActorRequest) -> tuple[RegisteredModel | None, ModelVersion | None]:
    """The model that `?version=` or `?model=` names by key, and that version; None where neither is there.

    Raises `NotFound` for a prompt, which nobody can serve.
    """
    version_id, model_id = (parse_key(request.GET.get(name, "")) for name in ("version", "model"))
    version = registry.get_version_by_id(request.actor, version_id) if version_id is not None else None
    model = version.model if version is not None else None
    if model is None and model_id is not None:
        model = registry.get_model_by_id(request.actor, model_id)
    if model is not None and model.is_prompt:
        raise NotFound("A prompt can't be deployed.")
    return model, version


def searched(request: ActorRequest, name: str = "q") -> str:
    """What is searched for, as text that a database takes."""
    return request.GET.get(name, "").replace("\x00", "").strip()[:_MAX_SEARCH]


def _field_of(error: DomainError) -> str | None:
    if isinstance(error, AlreadyExists):
        return "port" if " the port " in error.message else "name"
    if error.message.startswith("A deployment's name") or "is kept for pages" in error.message:
        return "name"
    found = (pattern.search(error.message) for pattern in _ABOUT)
    return next((match[1] for match in found if match), None)
