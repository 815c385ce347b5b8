"""The description of `/api/v1/`, its page, and how callers prove who they are, in OpenAPI's words."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from apps.core.api import HasActor
from apps.core.rules import Rule


class ActorScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """A token as Bearer, or user name and password (or a token in its place) as Basic."""

    target_class = "apps.core.api.ActorAuthentication"
    name = ["token", "basic"]

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, str]]:
        return [{"type": "http", "scheme": "bearer"}, {"type": "http", "scheme": "basic"}]


class SchemaView(SpectacularAPIView):
    """The OpenAPI document, as YAML or JSON by the `Accept` header."""

    rule = Rule.SIGNED_IN
    permission_classes = (HasActor,)


class DocsView(SpectacularSwaggerSplitView):
    """The document as a page to try it on. Its script is a request of its own: inline ones are forbidden here."""

    template_name = "core/docs.html"
    rule = Rule.SIGNED_IN
    permission_classes = (HasActor,)
