from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from apps.notifications.web.views import deliveries, inbox, preferences, webhooks

app_name = "notifications"
urlpatterns: list[URLPattern | URLResolver] = [
    path("notifications/", inbox.inbox, name="inbox"),
    path("notifications/unread/", inbox.unread, name="unread"),
    path("notifications/read-all/", inbox.read_all, name="read_all"),
    path("notifications/<int:pk>/read/", inbox.read, name="read"),
    path("settings/notifications/", preferences.preferences, name="preferences"),
    path("settings/notifications/followed/<int:pk>/end/", preferences.unsubscribe, name="unsubscribe"),
    path("settings/webhooks/", webhooks.webhook_list, name="webhooks"),
    path("settings/webhooks/new/", webhooks.webhook_new, name="webhook_new"),
    path("settings/webhooks/deliveries/<int:pk>/again/", deliveries.redeliver, name="redeliver"),
    path("settings/webhooks/<uuid:uid>/", deliveries.webhook, name="webhook"),
    path("settings/webhooks/<uuid:uid>/edit/", webhooks.webhook_edit, name="webhook_edit"),
    path("settings/webhooks/<uuid:uid>/delete/", webhooks.webhook_delete, name="webhook_delete"),
    path("settings/webhooks/<uuid:uid>/test/", webhooks.webhook_test, name="webhook_test"),
    path("subscriptions/<str:kind>/<path:reference>/", preferences.subscription, name="subscription"),
]
