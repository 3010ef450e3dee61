"""The driver's door to a change while online: its impact at once, and the answer."""

from typing import Annotated, Any

import msgspec
from django.utils import translation
from drf_spectacular.utils import extend_schema
from msgspec import Meta
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core import clock
from apps.core.actors import Actor
from apps.core.problems import Invalid
from apps.drivers.models import Driver
from apps.overrides import pricing
from apps.overrides.serializers import ChangeSerializer, WishSerializer
from apps.overrides.services.asking import driver_asker, request_override
from apps.overrides.states import OverrideSource
from apps.overrides.wishes import Wish
from apps.overrides.words import impact_for_device, told_preview
from apps.routes.changes import from_wire
from apps.sync import feeds
from apps.sync.api import SessionNeeded
from apps.sync.doors import DoorView
from apps.sync.serializers import AskedShown, ImpactShown


class AskBody(msgspec.Struct, frozen=True):
    """A change that a driver wants; `client_id` is the app's own id of it."""

    kind: Annotated[str, Meta(max_length=30)]
    change: dict[str, Any]
    client_id: Annotated[str, Meta(max_length=64)] = ""
    reason: Annotated[str, Meta(max_length=20)] = "other"
    note: Annotated[str, Meta(max_length=2000)] = ""
    recommendation_id: Annotated[str, Meta(max_length=64)] = ""


class AskingView(DoorView):
    """What both doors need: a driver's session, and a change that can be read."""

    permission_classes = [AllowAny]
    body_type = AskBody

    def driver(self) -> Driver:
        """Return who asks.

        Raises:
            SessionNeeded: the device shows no live session.
        """
        credential = self.credential()
        if not credential.is_session(clock.now()):
            raise SessionNeeded
        return Driver.objects.select_related("user").get(pk=credential.driver.pk)

    def wish(self) -> Wish:
        """Return what is asked.

        Raises:
            Invalid: the change is not of its kind's shape.
        """
        body = self.body(AskBody)
        return Wish(
            client_id=body.client_id,
            change=from_wire(body.kind, body.change),
            reason=body.reason,
            note=body.note,
            recommendation_id=body.recommendation_id,
        )


class ImpactView(AskingView):
    """What a change would do, before it is asked for."""

    @extend_schema(
        operation_id="sync_overrides_impact",
        request=ChangeSerializer,
        responses=ImpactShown,
    )
    def post(self, request: Request) -> Response:
        """Say what a change of the own route would do, and who would decide."""
        driver = self.driver()
        asker = driver_asker(driver, OverrideSource.DEVICE)
        by = Actor("driver", str(driver.pk))
        found = pricing.preview(self.wish(), asker=asker, by=by, now=clock.now())
        with translation.override(driver.language or None):
            currency = found.impact.currency
            said = told_preview(found.impact, found.decision, currency)
        return Response(
            {
                "kind": found.kind,
                "impact": impact_for_device(found.impact),
                "detail": said,
                "outcome": str(found.decision.outcome),
                "approver": found.decision.approver,
            }
        )


class OverridesView(AskingView):
    """Ask for a change while online."""

    @extend_schema(
        operation_id="sync_overrides_create",
        request=WishSerializer,
        responses={201: AskedShown},
    )
    def post(self, request: Request) -> Response:
        """Ask for a change: priced at once; done, or put to who may decide."""
        driver, now = self.driver(), clock.now()
        wish = self.wish()
        if not wish.client_id:
            raise Invalid("Send a client_id, so that a repeat is the same request.")
        row = request_override(
            wish,
            asker=driver_asker(driver, OverrideSource.DEVICE),
            asked_at=now,
            by=Actor("driver", str(driver.pk)),
            now=now,
        )
        pricing.price_override(row.pk, now=now)
        with translation.override(driver.language or None):
            [shown] = feeds.overrides(driver.pk, [str(row.pk)]).values()
        return Response(shown, status=201)
