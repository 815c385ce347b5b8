from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.kinds import kind_of
from apps.accounts.models import ObjectKind
from apps.core.actor import Actor, Level, Scope
from apps.core.errors import InvalidInput
from apps.core.rules import Rule
from apps.core.viewsets import ApiViewSet
from apps.notifications import access, actions
from apps.notifications.access import Place
from apps.notifications.actions import HookChange
from apps.notifications.api import serializers as shapes
from apps.notifications.models import Choice, Delivery, MailTiming, Notification, Subscription, Webhook, WebhookStatus
from apps.notifications.selectors import preferences_of, unread_count, webhooks_of
from apps.notifications.topics import known_topics

_NOTHING = {204: None}
_ID = r"\d{1,18}"


class NotificationViewSet(ApiViewSet):
    """One's own inbox, newest first."""

    queryset = Notification.objects.none()
    serializer_class = shapes.NotificationShape
    lookup_value_regex = _ID

    @extend_schema(parameters=[shapes.NotificationQuery])
    def list(self, request: Request) -> Response:
        found = Notification.objects.visible_to(self.actor).select_related("team")
        asked = self.parsed_query(shapes.NotificationQuery)
        return self.page(found.unread() if asked["state"] == "unread" else found)

    @extend_schema(request=None, responses=shapes.CountShape)
    @action(detail=True, methods=["post"])
    def read(self, request: Request, pk: str) -> Response:
        """Mark a line as read. Twice changes nothing."""
        line = access.get_notification(self.actor, int(pk))
        actions.read_notifications(self.actor, ids=[line.pk])
        return self._count()

    @extend_schema(request=None, responses=shapes.CountShape)
    @action(detail=False, methods=["post"], url_path="read-all")
    def read_all(self, request: Request) -> Response:
        """Mark everything as read."""
        actions.read_notifications(self.actor)
        return self._count()

    @extend_schema(responses=shapes.CountShape, filters=False)
    @action(detail=False, methods=["get"], url_path="unread-count", pagination_class=None)
    def unread_count(self, request: Request) -> Response:
        """The number of the bell."""
        return self._count()

    def _count(self) -> Response:
        return Response({"unread": unread_count(self.actor)})


class WebhookViewSet(ApiViewSet):
    """Webhooks of what one manages: of objects, of teams one administers, of the site for its administrators."""

    scope = Scope.REGISTRY
    queryset = Webhook.objects.none()
    serializer_class = shapes.WebhookShape
    lookup_value_regex = r"[0-9a-fA-F-]{32,36}"

    def list(self, request: Request) -> Response:
        return self.page(webhooks_of(self.actor).select_related("team", "owner"))

    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(shapes.WebhookShape(access.get_webhook(self.actor, pk)).data)

    @extend_schema(request=shapes.NewWebhook, responses={201: shapes.WebhookShape})
    def create(self, request: Request) -> Response:
        given = self.parsed(shapes.NewWebhook)
        hook = actions.create_webhook(
            self.actor, place=self._place(given), dialect=given["dialect"], change=_change(given)
        )
        return Response(shapes.WebhookShape(access.get_webhook(self.actor, str(hook.uid))).data, 201)

    @extend_schema(request=shapes.WebhookChange, responses=shapes.WebhookShape)
    def partial_update(self, request: Request, pk: str) -> Response:
        hook = access.get_webhook(self.actor, pk)
        change = _change(self.parsed(shapes.WebhookChange, partial=True))
        return Response(shapes.WebhookShape(actions.change_webhook(self.actor, webhook=hook, change=change)).data)

    @extend_schema(responses=_NOTHING)
    def destroy(self, request: Request, pk: str) -> Response:
        actions.delete_webhook(self.actor, webhook=access.get_webhook(self.actor, pk))
        return Response(status=204)

    @extend_schema(request=shapes.TestCall, responses=shapes.DeliveryShape)
    @action(detail=True, methods=["post"])
    def test(self, request: Request, pk: str) -> Response:
        """Make a call with an example now; what came of it is the answer, whatever it was."""
        hook = access.get_webhook(self.actor, pk)
        sent = actions.send_test(self.actor, webhook=hook, word=self.parsed(shapes.TestCall)["event"])
        return Response(shapes.DeliveryShape(sent).data)

    @extend_schema(parameters=[shapes.DeliveryQuery], responses=shapes.DeliveryShape(many=True))
    @action(detail=True, methods=["get"], serializer_class=shapes.DeliveryShape)
    def deliveries(self, request: Request, pk: str) -> Response:
        """Its calls of the last 30 days, newest first."""
        asked = self.parsed_query(shapes.DeliveryQuery)
        found = Delivery.objects.filter(webhook=access.get_webhook(self.actor, pk), **asked)
        return self.page(found.select_related("webhook"))

    def _place(self, given: dict[str, Any]) -> Place:
        if "object" in given:
            return access.place_of_object(self.actor, ObjectKind(given["kind"]), given["object"])
        if "team" in given:
            return access.place_of_team(self.actor, given["team"])
        return access.place_of_site(self.actor)


class DeliveryViewSet(ApiViewSet):
    """Calls of webhooks."""

    scope = Scope.REGISTRY
    queryset = Delivery.objects.none()
    serializer_class = shapes.DeliveryShape
    lookup_value_regex = _ID

    def retrieve(self, request: Request, pk: str) -> Response:
        return Response(shapes.DeliveryShape(access.get_delivery(self.actor, int(pk))).data)

    @extend_schema(request=None, responses={201: shapes.DeliveryShape})
    @action(detail=True, methods=["post"])
    def redeliver(self, request: Request, pk: str) -> Response:
        """Send it again, as a new delivery."""
        delivery = access.get_delivery(self.actor, int(pk))
        return Response(shapes.DeliveryShape(actions.redeliver(self.actor, delivery=delivery)).data, 201)


class SubscriptionViewSet(ApiViewSet):
    """How much one hears of single objects; what isn't listed stands at `default`."""

    queryset = Subscription.objects.none()
    serializer_class = shapes.SubscriptionShape

    def list(self, request: Request) -> Response:
        return self.page(Subscription.objects.visible_to(self.actor))

    @extend_schema(request=shapes.NewSubscription, responses=shapes.SubscriptionShape)
    def create(self, request: Request) -> Response:
        """Choose for one object; a second choice replaces the first."""
        given = self.parsed(shapes.NewSubscription)
        target = kind_of(ObjectKind(given["kind"])).find(self.actor, given["object"], Level.READ)
        choice = Choice(given["choice"])
        actions.subscribe(self.actor, target=target, choice=choice)
        return Response({"kind": target.kind.value, "object_id": target.object_id, "choice": choice.value})


class PreferencesView(APIView):
    """When one gets mail, and how much of each topic."""

    rule = Rule.SIGNED_IN
    scope = None

    @extend_schema(responses=shapes.PreferencesShape, operation_id="notification_preferences")
    def get(self, request: Request) -> Response:
        return _preferences(request._request.actor)  # type: ignore[attr-defined]

    @extend_schema(
        request=shapes.PreferencesChange,
        responses=shapes.PreferencesShape,
        operation_id="notification_preferences_change",
    )
    def patch(self, request: Request) -> Response:
        actor: Actor = request._request.actor  # type: ignore[attr-defined]
        reader = shapes.PreferencesChange(data=request.data)
        reader.is_valid(raise_exception=True)
        given: dict[str, Any] = reader.validated_data
        topics = {code: Choice(choice) if choice else None for code, choice in given.get("topics", {}).items()}
        if unknown := sorted(set(topics) - set(known_topics())):
            raise InvalidInput(f"There is no topic '{unknown[0][:100]}'.")
        actions.set_preferences(actor, mail=MailTiming(given["mail"]) if "mail" in given else None, topics=topics)
        return _preferences(actor)


def _preferences(actor: Actor) -> Response:
    found = preferences_of(actor)
    return Response(shapes.PreferencesShape({"mail": found.mail, "topics": found.topics}).data)


def _change(given: dict[str, Any]) -> HookChange:
    status = WebhookStatus(given["status"]) if "status" in given else None
    names = ("name", "description", "url", "job", "job_entry_point", "events", "secret", "authorization", "verify_tls")
    return HookChange(status=status, **{name: given[name] for name in names if name in given})
