from __future__ import annotations

from django.urls import URLPattern, URLResolver

from apps.core.viewsets import ApiRouter
from apps.registry.api.views import checks, models, policies, promotion, versions

_MODEL = "models/(?P<team>[^/]+)/(?P<name>[^/]+)"
_VERSION = rf"{_MODEL}/versions/(?P<number>\d{{1,10}})"

router = ApiRouter()
router.register(f"{_VERSION}/comments", versions.VersionCommentViewSet, basename="model-version-comment")
router.register(f"{_VERSION}/checks", checks.CheckViewSet, basename="model-version-check")
router.register(f"{_MODEL}/versions", versions.VersionViewSet, basename="model-version")
router.register(f"{_MODEL}/aliases", models.AliasViewSet, basename="model-alias")
router.register("models/(?P<team>[^/]+)", models.ModelViewSet, basename="model")
router.register("models", models.ModelListViewSet, basename="models")
router.register("promotion-requests", promotion.RequestViewSet, basename="promotion-request")
router.register("policies", policies.PolicyViewSet, basename="policy")
router.register("approver-groups", policies.GroupViewSet, basename="approver-group")
router.register("gates", checks.GateKindViewSet, basename="gate")
router.register("comments", versions.CommentViewSet, basename="comment")
router.register("history", promotion.HistoryViewSet, basename="placement")
router.register("overrides", promotion.OverrideViewSet, basename="override")

urlpatterns: list[URLPattern | URLResolver] = list(router.urls)
