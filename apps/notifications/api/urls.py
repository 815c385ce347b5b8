from __future__ import annotations

from django.urls import URLPattern, URLResolver, re_path

from apps.core.viewsets import ApiRouter
from apps.notifications.api import views

router = ApiRouter()
router.register("notifications", views.NotificationViewSet, basename="notification")
router.register("webhooks", views.WebhookViewSet, basename="webhook")
router.register("deliveries", views.DeliveryViewSet, basename="delivery")
router.register("subscriptions", views.SubscriptionViewSet, basename="subscription")

urlpatterns: list[URLPattern | URLResolver] = [
    re_path(r"^notification-preferences/?$", views.PreferencesView.as_view(), name="notification-preferences"),
    *router.urls,
]
