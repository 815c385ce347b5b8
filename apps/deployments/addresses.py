"""Where deployments are seen and called."""

from __future__ import annotations

from django.urls import reverse

from apps.deployments.models import Deployment


def deployment_url(deployment: Deployment) -> str:
    """The deployment's page."""
    return reverse("deployments:deployment", args=(deployment.name,))


def serving_path(deployment: Deployment) -> str:
    """Where the gateway answers for it, below the site's address."""
    return f"/serve/{deployment.name}/invocations"
