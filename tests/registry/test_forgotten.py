"""What hangs on a model goes with it."""

from __future__ import annotations

from apps.notifications.models import Subscription, Webhook
from tests.personas import People


def test_a_deleted_model_takes_webhooks_and_subscriptions(people: People) -> None:
    people.ada.call("POST", "registered-models/create", {"name": "iris"})
    spec = {"url": "https://8.8.8.8/hook"}
    body = {"model_name": "iris", "events": ["COMMENT_CREATED"], "http_url_spec": spec}
    people.ada.call("POST", "registry-webhooks/create", body)
    wish = {"kind": "registered_model", "object": "iris", "choice": "all"}
    assert people.ben.request("POST", "/api/v1/subscriptions/", wish).status_code == 200
    people.ada.call("DELETE", "registered-models/delete", {"name": "iris"})
    assert not Webhook.objects.exists()
    assert not Subscription.objects.exists()
