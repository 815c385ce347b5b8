"""Every write about inboxes, subscriptions, webhooks and their deliveries."""

from apps.notifications.actions.digests import write_digests
from apps.notifications.actions.inbox import (
    end_subscription,
    forget_object,
    read_notifications,
    set_preferences,
    subscribe,
)
from apps.notifications.actions.pruning import prune
from apps.notifications.actions.publishing import publish
from apps.notifications.actions.webhooks import (
    HookChange,
    change_webhook,
    create_webhook,
    delete_webhook,
    redeliver,
    reseal_webhooks,
    send_test,
)

__all__ = [
    "HookChange",
    "change_webhook",
    "create_webhook",
    "delete_webhook",
    "end_subscription",
    "forget_object",
    "prune",
    "publish",
    "read_notifications",
    "redeliver",
    "reseal_webhooks",
    "send_test",
    "set_preferences",
    "subscribe",
    "write_digests",
]
