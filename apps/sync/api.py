"""The device's door over HTTP: enrolment, session, pull, push, time, schema.

HTTP speaks of the envelope alone: who calls, whether it can be read, how much it is.
What became of each event is in the body.
"""

from dataclasses import asdict
from datetime import timedelta
from typing import Annotated, Any

import msgspec
from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.utils import translation
from drf_spectacular.utils import OpenApiParameter, extend_schema
from msgspec import Meta
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core import clock
from apps.core.actors import Actor
from apps.core.problems import Problem
from apps.core.verdicts import REJECTED, Verdict
from apps.drivers import services as drivers
from apps.drivers.authentication import DeviceCredential
from apps.drivers.states import DeviceState
from apps.sync import schema, selectors, serializers, services
from apps.sync.doors import DoorView, SessionBody
from apps.sync.inbox import PushBody, items_of
from apps.sync.queries import pull_request, whole_number
from apps.sync.tracks import MAX_FIXES, TracksBody
from apps.sync.wire import TooLarge
from apps.sync.words import explained, told

MAX_ROWS = 500


class SessionNeeded(AuthenticationFailed):
    """A pull needs a driver's session that lasts."""

    default_detail = "A driver's session is needed: open one with the device's token."
    default_code = "session_needed"


class EnrolBody(msgspec.Struct, frozen=True):
    """A device asks to be enrolled."""

    code: Annotated[str, Meta(min_length=1, max_length=40)]
    name: Annotated[str, Meta(max_length=80)] = ""
    platform: Annotated[str, Meta(max_length=80)] = ""


def _session(opened: drivers.OpenedSession) -> dict[str, Any]:
    return {
        "session_token": opened.token,
        "session_expires_at": opened.expires_at,
        "driver": {
            "id": str(opened.driver.pk),
            "name": opened.driver.name,
            "language": opened.driver.language,
        },
        "server_time": clock.now(),
    }


class EnrolView(DoorView):
    """A new device enrols by a one-time code."""

    authentication_classes: list[Any] = []
    permission_classes = [AllowAny]
    throttle_scope = "auth"
    body_type = EnrolBody

    @extend_schema(
        request=serializers.EnrolmentShape, responses={201: serializers.EnrolledShown}
    )
    def post(self, request: Request) -> Response:
        """Enrol this device; the credentials are shown this once."""
        body = self.body(EnrolBody)
        enrolled = drivers.enrol_device(
            code=body.code,
            name=body.name,
            platform=body.platform,
            by=Actor("device"),
            now=clock.now(),
        )
        shown = {
            "device_id": str(enrolled.device.pk),
            "device_token": enrolled.device_token,
            **_session(enrolled.session),
        }
        return Response(shown, status=201, headers={"Cache-Control": "no-store"})


class SessionView(DoorView):
    """A driver's session is opened or renewed with the device's credential."""

    permission_classes = [AllowAny]
    throttle_scope = "auth"

    @extend_schema(
        request=serializers.SessionShape, responses={201: serializers.SessionShown}
    )
    def post(self, request: Request) -> Response:
        """Renew the session, or sign another driver in with user name and password."""
        credential = self.credential()
        body = self.body(SessionBody)
        user = None
        if body.username:
            user = authenticate(request, username=body.username, password=body.password)
            if not isinstance(user, User):
                raise AuthenticationFailed
        opened = drivers.open_session(
            device_id=credential.device.pk,
            user=user,
            by=Actor("device", str(credential.device.pk)),
            now=clock.now(),
        )
        return Response(
            _session(opened), status=201, headers={"Cache-Control": "no-store"}
        )


class PullView(DoorView):
    """What this driver has to hear."""

    permission_classes = [AllowAny]

    @extend_schema(
        parameters=[
            OpenApiParameter("last_pulled_at", str, description="A number, or null."),
            OpenApiParameter("cursor", str),
            OpenApiParameter("schema_version", int),
            OpenApiParameter("migration", str, description="JSON, or null."),
            OpenApiParameter("tables", str, description="Names, with commas."),
            OpenApiParameter("limit", int),
            OpenApiParameter("deleted_rows", str, enum=["ids", "full"]),
        ],
        responses=serializers.PullShown,
    )
    def get(self, request: Request) -> Response:
        """Return the next page of the driver's feed."""
        credential, now = self.credential(), clock.now()
        if not credential.is_session(now):
            raise SessionNeeded
        driver = credential.driver
        asked = pull_request(request.query_params)
        feed, device = credential.feed, credential.device
        if feed.head == 0:
            by = Actor("device", str(device.pk))
            services.open_feed(driver_id=driver.pk, by=by, now=now)
            feed = selectors.feed_of(driver.pk)
        drivers.note_device_seen(
            device_id=device.pk, now=now, known_at=device.last_seen_at
        )
        page = selectors.pull(feed=feed, language=driver.language, request=asked)
        body: dict[str, Any] = {
            "changes": page.changes,
            "timestamp": page.number,
            "cursor": page.cursor,
            "head": page.head,
            "has_more": page.has_more,
            "server_time": clock.now(),
        }
        if page.reset:
            body |= {"reset": True, "experimentalStrategy": "replacement"}
        return Response(body, headers={"Cache-Control": "no-store"})


class PushView(DoorView):
    """What this device has to tell."""

    permission_classes = [AllowAny]
    body_type = PushBody

    @extend_schema(request=serializers.PushShape, responses=serializers.PushShown)
    def post(self, request: Request) -> Response:
        """Take events in; every one is answered, and none blocks those behind it."""
        self._set_aside_revoked()
        credential = self.credential(may_drain=True)
        body = self.body(PushBody)
        if body.rows() > MAX_ROWS:
            raise TooLarge(f"A push has {MAX_ROWS} rows at the most.")
        driver = credential.driver
        sent = body.device.anchors if body.device else []
        accepted = services.accept_events(
            sender=services.Sender(credential.device.pk, driver.pk),
            items=items_of(body),
            anchors=[anchor for each in sent if (anchor := each.anchor())],
            by=Actor("driver", str(driver.pk)),
            now=clock.now(),
            patience=timedelta(minutes=settings.SYNC_HOLD_MINUTES),
        )
        with translation.override(driver.language or None):
            results = [_result(answer) for answer in accepted.answers]
        return Response(
            {
                "results": results,
                "experimentalRejectedIds": services.rejected_ids(accepted.answers),
                "head": accepted.head,
                "server_time": clock.now(),
            }
        )

    def _set_aside_revoked(self) -> None:
        """Keep what a revoked device sends; the answer is its refusal all the same."""
        credential = self.request.auth
        if not isinstance(credential, DeviceCredential):
            return
        if credential.device.status != DeviceState.REVOKED:
            return
        try:
            body = self.body(PushBody)
        except Problem:
            return  # that it cannot be read matters no more
        if body.rows() <= MAX_ROWS:
            services.set_aside_push(
                sender=services.Sender(credential.device.pk, credential.driver.pk),
                items=items_of(body),
                now=clock.now(),
            )


class PositionsView(DoorView):
    """Where this device was, apart from the queue of its events."""

    permission_classes = [AllowAny]
    body_type = TracksBody

    @extend_schema(request=serializers.TracksShape, responses=serializers.TrackedShown)
    def post(self, request: Request) -> Response:
        """Keep the fixes of a shift; a repeated one is one row."""
        credential = self.credential(may_drain=True)
        body = self.body(TracksBody)
        if body.fixes() > MAX_FIXES:
            raise TooLarge(f"A request has {MAX_FIXES} fixes at the most.")
        sent = body.device.anchors if body.device else []
        tracked = services.accept_tracks(
            sender=services.Sender(credential.device.pk, credential.driver.pk),
            tracks=body.tracks,
            anchors=[anchor for each in sent if (anchor := each.anchor())],
            now=clock.now(),
        )
        return Response({**asdict(tracked), "server_time": clock.now()})


def _result(answer: services.Answer) -> dict[str, Any]:
    shown = {"table": answer.table, "id": answer.id, **_verdict(answer.verdict)}
    if answer.original is not None:
        shown["original"] = _verdict(answer.original)
    return shown


def _verdict(verdict: Verdict) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "result": verdict.result,
        "code": verdict.code,
        "detail": told(verdict),
    }
    if verdict.result == REJECTED and verdict.detail:
        shown["fault"] = verdict.detail
    return shown | asdict(explained(verdict)) if verdict.rule else shown


class TimeView(DoorView):
    """Our clock."""

    permission_classes = [AllowAny]

    @extend_schema(responses=serializers.TimeShown)
    def get(self, request: Request) -> Response:
        """Return our time, for an anchor when nothing else is to be said."""
        self.credential(may_drain=True)
        return Response(
            {"server_time": clock.now()}, headers={"Cache-Control": "no-store"}
        )


class SchemaView(DoorView):
    """The tables and columns that a device sees."""

    authentication_classes: list[Any] = []
    permission_classes = [AllowAny]

    @extend_schema(
        parameters=[OpenApiParameter("version", int)],
        responses=serializers.SchemaShown,
    )
    def get(self, request: Request) -> Response:
        """Return a schema version; the newest unless asked."""
        given = request.query_params.dict()
        version = whole_number(given, "version", schema.SCHEMA_VERSION)
        return Response(schema.described(min(version, schema.SCHEMA_VERSION)))
