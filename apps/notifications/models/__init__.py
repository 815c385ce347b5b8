from apps.notifications.models.hooks import Delivery, DeliveryState, Webhook, WebhookStatus
from apps.notifications.models.inbox import Notification
from apps.notifications.models.mail import MailOut, MailPreference, MailTiming
from apps.notifications.models.subscriptions import Choice, Subscription, TopicPreference

__all__ = [
    "Choice",
    "Delivery",
    "DeliveryState",
    "MailOut",
    "MailPreference",
    "MailTiming",
    "Notification",
    "Subscription",
    "TopicPreference",
    "Webhook",
    "WebhookStatus",
]
