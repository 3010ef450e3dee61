"""The office's door to incidents, to-dos and playbooks."""

import uuid
from datetime import date, timedelta

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import ReadOnlyModelViewSet

from apps.core import clock
from apps.core.actors import user_actor
from apps.core.problems import FieldError, Invalid
from apps.depots.models import Depot
from apps.depots.scoping import ModelPermissions, scoped
from apps.incidents import serializers as shapes
from apps.incidents.models import ActionItem, Incident, Playbook
from apps.incidents.reschedulefacts import LONGEST, reschedules_of
from apps.incidents.selectors import works_for
from apps.incidents.services import incidents, work
from apps.incidents.services.incidents import Given, IncidentDraft


class MayChange(ModelPermissions):
    """To deal with it is to change it."""

    perms_map = {
        **ModelPermissions.perms_map,
        "POST": ["%(app_label)s.change_%(model_name)s"],
    }


def _owner_id(request: Request) -> int:
    """Return who is named in a body.

    Raises:
        Invalid: nobody has this user name.
    """
    shape = shapes.Giving(data=request.data)
    shape.is_valid(raise_exception=True)
    user = User.objects.filter(username=shape.validated_data["owner"]).first()
    if user is None:
        detail = "Nobody who works here has this user name."
        raise Invalid(detail, errors=[FieldError("/owner", "unknown", detail)])
    return int(user.pk)


def _given(given: Given) -> Response:
    owner = User.objects.get(pk=given.owner_id)
    return Response({"owner": owner.get_username(), "warning": given.warning})


class IncidentViewSet(ReadOnlyModelViewSet[Incident]):
    """What needs somebody: raised once a cause, given, escalated, resolved."""

    queryset = Incident.objects.select_related("depot", "owner")
    serializer_class = shapes.IncidentRow
    permission_classes = [ModelPermissions]
    filterset_fields = ["depot", "kind", "severity", "status", "role", "subject_id"]

    def get_queryset(self) -> QuerySet[Incident]:
        """Return the incidents of the caller's depots, the most urgent first."""
        return scoped(super().get_queryset(), self.request.user)

    @extend_schema(
        request=shapes.NewIncident,
        responses={201: shapes.IncidentRow, 200: shapes.IncidentRow},
    )
    def create(self, request: Request) -> Response:
        """Raise an incident; the same cause gets the one that there is (200)."""
        shape = shapes.NewIncident(data=request.data)
        shape.is_valid(raise_exception=True)
        told = shape.validated_data
        depots = Depot.objects.visible_to(request.user)
        depot = depots.filter(code__iexact=told["depot"]).first()
        if depot is None:
            detail = "You work for no depot with this code."
            raise Invalid(detail, errors=[FieldError("/depot", "unknown", detail)])
        now = clock.now()
        row = incidents.raise_incident(
            IncidentDraft(
                depot_id=depot.pk,
                kind=told["kind"],
                # What a programme names must not meet what we name ourselves.
                cause=f"told/{told['cause']}",
                title=told["title"],
                severity=told["severity"],
                details=told["details"],
            ),
            by=user_actor(request.user),
            now=now,
        )
        is_new = row.raised_at == now
        code = status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
        return Response(self.get_serializer(row).data, status=code)

    @extend_schema(request=shapes.Giving, responses=shapes.GivenShown)
    @action(detail=True, methods=["post"], permission_classes=[MayChange])
    def assign(self, request: Request, pk: str) -> Response:
        """Give it to somebody; the answer says what speaks against it."""
        row = self.get_object()
        given = incidents.assign(
            incident_id=row.pk,
            owner_id=_owner_id(request),
            by=user_actor(request.user),
            now=clock.now(),
        )
        return _given(given)

    @extend_schema(request=shapes.Escalation, responses=shapes.IncidentRow)
    @action(detail=True, methods=["post"], permission_classes=[MayChange])
    def escalate(self, request: Request, pk: str) -> Response:
        """Let the next role have it."""
        row = self.get_object()
        shape = shapes.Escalation(data=request.data)
        shape.is_valid(raise_exception=True)
        incidents.escalate(
            incident_id=row.pk,
            why=shape.validated_data["why"],
            by=user_actor(request.user),
            now=clock.now(),
        )
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(request=shapes.Resolution, responses=shapes.IncidentRow)
    @action(detail=True, methods=["post"], permission_classes=[MayChange])
    def resolve(self, request: Request, pk: str) -> Response:
        """Close it, and say how it ended."""
        row = self.get_object()
        shape = shapes.Resolution(data=request.data)
        shape.is_valid(raise_exception=True)
        incidents.resolve(
            incident_id=row.pk,
            by=user_actor(request.user),
            now=clock.now(),
            **shape.validated_data,
        )
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(request=shapes.PlaybookChoice, responses=shapes.ItemRow(many=True))
    @action(detail=True, methods=["post"], permission_classes=[MayChange])
    def playbook(self, request: Request, pk: str) -> Response:
        """Make the steps of a playbook to-dos; again makes no more."""
        row = self.get_object()
        shape = shapes.PlaybookChoice(data=request.data)
        shape.is_valid(raise_exception=True)
        items = work.start_playbook(
            incident_id=row.pk,
            playbook_id=shape.validated_data["playbook"],
            by=user_actor(request.user),
            now=clock.now(),
        )
        return Response(shapes.ItemRow(items, many=True).data)


class ItemViewSet(ReadOnlyModelViewSet[ActionItem]):
    """What is to be done, and whose it is."""

    queryset = ActionItem.objects.select_related("depot", "owner")
    serializer_class = shapes.ItemRow
    permission_classes = [ModelPermissions]
    filterset_fields = ["depot", "incident", "status", "role"]

    def get_queryset(self) -> QuerySet[ActionItem]:
        """Return the to-dos of the caller's depots."""
        return scoped(super().get_queryset(), self.request.user)

    @extend_schema(responses=shapes.ItemRow(many=True))
    @action(detail=False)
    def mine(self, request: Request) -> Response:
        """Return the caller's open to-dos, and those of whom the caller stands in for."""
        owners = works_for(request.user.pk or 0, clock.now())
        rows = self.get_queryset().filter(owner__in=owners, status="open")
        page = self.paginate_queryset(rows)
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(request=shapes.Giving, responses=shapes.GivenShown)
    @action(detail=True, methods=["post"], permission_classes=[MayChange])
    def delegate(self, request: Request, pk: str) -> Response:
        """Give it to somebody else; the answer says what speaks against it."""
        row = self.get_object()
        given = work.delegate(
            item_id=row.pk,
            owner_id=_owner_id(request),
            by=user_actor(request.user),
            now=clock.now(),
        )
        return _given(given)

    @extend_schema(request=shapes.Settlement, responses=shapes.ItemRow)
    @action(detail=True, methods=["post"], permission_classes=[MayChange])
    def settle(self, request: Request, pk: str) -> Response:
        """Mark it done, or not needed."""
        row = self.get_object()
        shape = shapes.Settlement(data=request.data)
        shape.is_valid(raise_exception=True)
        after = work.settle_item(
            item_id=row.pk,
            as_=shape.validated_data["state"],
            note=shape.validated_data["note"],
            by=user_actor(request.user),
            now=clock.now(),
        )
        return Response(self.get_serializer(after).data)


class PlaybookViewSet(ReadOnlyModelViewSet[Playbook]):
    """Named lists of steps, of the caller's depots and of all."""

    queryset = Playbook.objects.prefetch_related("steps").select_related("depot")
    serializer_class = shapes.PlaybookRow
    permission_classes = [ModelPermissions]
    filterset_fields = ["code", "is_active"]

    def get_queryset(self) -> QuerySet[Playbook]:
        """Return the playbooks that hold in the caller's depots."""
        depots = Depot.objects.visible_to(self.request.user).values("pk")
        return super().get_queryset().filter(Q(depot__in=depots) | Q(depot=None))


class ReschedulesView(APIView):
    """Who changed what was planned: by cause, campaign, day and actor."""

    queryset = Incident.objects.none()
    permission_classes = [ModelPermissions]

    @extend_schema(
        operation_id="depots_reschedules",
        parameters=[
            OpenApiParameter("first", date, description="A fortnight ago without it."),
            OpenApiParameter("last", date, description="Today without it."),
        ],
        responses=shapes.TallyShown,
    )
    def get(self, request: Request, depot_id: uuid.UUID) -> Response:
        """Return the counts of a depot's days, both ends included."""
        depot = get_object_or_404(Depot.objects.visible_to(request.user), pk=depot_id)
        last = _day(request, "last") or clock.now().date()
        first = _day(request, "first") or last - timedelta(days=13)
        first = max(min(first, last), last - LONGEST)
        found = reschedules_of(depot, first, last)
        return Response(
            {
                "depot": depot.code,
                "first": first,
                "last": last,
                "total": found.total,
                "by_who": found.by_who,
                "by_day": {day.isoformat(): who for day, who in found.by_day.items()},
                "by_cause": found.by_cause,
                "by_campaign": found.by_campaign,
            }
        )


def _day(request: Request, name: str) -> date | None:
    text = request.query_params.get(name, "")
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        detail = f"{name} is a day such as 2026-03-17."
        raise Invalid(
            detail, errors=[FieldError(f"/{name}", "bad_date", detail)]
        ) from (error)
