from apps.audit.codes import declare
from apps.audit.links import declare_page

WEBHOOK_CREATED = declare("webhook.created", "created the webhook {object}")
WEBHOOK_CHANGED = declare("webhook.changed", "changed the webhook {object}")
WEBHOOK_DELETED = declare("webhook.deleted", "deleted the webhook {object}")
WEBHOOK_TESTED = declare("webhook.tested", "sent a test call by the webhook {object}: {note}")
DELIVERY_REPEATED = declare("webhook.redelivered", "had the webhook {object} send {note} again")

declare_page("webhook", "/settings/webhooks/{id}/")
