from __future__ import annotations

from django.urls import URLPattern, URLResolver, re_path

from apps.accounts.api import views
from apps.core.viewsets import ApiRouter

router = ApiRouter()
router.register("users", views.UserViewSet, basename="user")
router.register("teams", views.TeamViewSet, basename="team")
router.register("teams/(?P<team>[^/]+)/members", views.MembershipViewSet, basename="membership")
router.register("grants", views.GrantViewSet, basename="grant")
router.register("tokens", views.TokenViewSet, basename="token")

urlpatterns: list[URLPattern | URLResolver] = [re_path(r"^me/?$", views.MeView.as_view(), name="me"), *router.urls]
