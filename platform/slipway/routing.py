"""The map of WebSockets. Each consumer checks origin, session and right itself, before it accepts."""

from __future__ import annotations

from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import WebsocketDenier
from django.urls import path, re_path

from apps.deployments.consumers import DeploymentPage
from apps.experiments.consumers import ExperimentPage, RunPage
from apps.notifications.consumers import Bell
from apps.projects.consumers import ProjectRunPage

websocket_urlpatterns = [
    path("ws/runs/<slug:run_id>/", RunPage.as_asgi()),
    path("ws/experiments/<int:experiment_id>/", ExperimentPage.as_asgi()),
    path("ws/notifications/", Bell.as_asgi()),
    path("ws/project-runs/<int:run_id>/", ProjectRunPage.as_asgi()),
    path("ws/deployments/<int:deployment_id>/", DeploymentPage.as_asgi()),
    # Anything else is refused as one without the right would be.
    re_path(r"^", WebsocketDenier.as_asgi()),
]

websockets = ProtocolTypeRouter({"websocket": URLRouter(websocket_urlpatterns)})
