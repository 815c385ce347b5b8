from __future__ import annotations

from django.urls import URLPattern, URLResolver, path
from rest_framework.routers import SimpleRouter

from apps.accounts.api import views

router = SimpleRouter()
router.register("users", views.UserViewSet, basename="user")
router.register("teams", views.TeamViewSet, basename="team")
router.register("teams/(?P<team>[^/]+)/members", views.MembershipViewSet, basename="membership")
router.register("grants", views.GrantViewSet, basename="grant")
router.register("tokens", views.TokenViewSet, basename="token")

urlpatterns: list[URLPattern | URLResolver] = [path("me/", views.MeView.as_view(), name="me"), *router.urls]
