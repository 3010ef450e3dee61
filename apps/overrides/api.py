"""The office's and programmes' door to requests, their answers, and decision rights."""

from typing import Any

from django.db.models import Q, QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.core import clock
from apps.core.actors import user_actor
from apps.core.etags import etag_of, expected_version
from apps.depots.models import Depot
from apps.depots.scoping import ModelPermissions, scoped
from apps.overrides import pricing
from apps.overrides.models import DecisionRight, Override
from apps.overrides.serializers import (
    AnswerSerializer,
    ChangeSerializer,
    DecisionRightSerializer,
    ImpactSerializer,
    OverrideSerializer,
    WishSerializer,
    change_of,
    wish_of,
)
from apps.overrides.services.answering import reject_override
from apps.overrides.services.asking import (
    office_asker,
    request_override,
    where,
    withdraw_override,
)
from apps.overrides.states import OverrideSource
from apps.overrides.wishes import Wish
from apps.routes.changes import impact_as_wire


class MayAnswer(ModelPermissions):
    """To answer a request is a change of it, though it is a POST."""

    perms_map = {
        **ModelPermissions.perms_map,
        "POST": ["%(app_label)s.change_%(model_name)s"],
    }


class OverrideViewSet(viewsets.ReadOnlyModelViewSet[Override]):
    """Requests to change a plan: priced first, decided by the table, answered once."""

    queryset = Override.objects.select_related("depot")
    serializer_class = OverrideSerializer
    permission_classes = [ModelPermissions]
    filterset_fields = ["depot", "service_date", "state", "kind", "driver", "approver"]

    def get_queryset(self) -> QuerySet[Override]:
        """Return the requests of the caller's depots."""
        return scoped(super().get_queryset(), self.request.user).order_by("-id")

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Return one request, with its ETag."""
        return _shown(self.get_object())

    @extend_schema(request=WishSerializer, responses={201: OverrideSerializer})
    def create(self, request: Request) -> Response:
        """Ask for a change: priced at once, done where one may, else put to who may."""
        wish, now = wish_of(request.data), clock.now()
        self._check_depot(wish)
        by = user_actor(request.user)
        row = request_override(
            wish,
            asker=office_asker(by, OverrideSource.API),
            asked_at=now,
            by=by,
            now=now,
        )
        row = pricing.price_override(row.pk, now=now)
        return _shown(row, status.HTTP_201_CREATED)

    @extend_schema(request=ChangeSerializer, responses=ImpactSerializer)
    @action(detail=False, methods=["post"])
    def impact(self, request: Request) -> Response:
        """Say what a change would do and who would have to agree; nothing is changed."""
        shape = ChangeSerializer(data=request.data)
        shape.is_valid(raise_exception=True)
        wish = Wish(client_id="", change=change_of(shape.validated_data))
        self._check_depot(wish)
        by = user_actor(request.user)
        asker = office_asker(by, OverrideSource.API)
        found = pricing.preview(wish, asker=asker, by=by, now=clock.now())
        return Response(
            {
                "kind": found.kind,
                "impact": impact_as_wire(found.impact),
                "outcome": str(found.decision.outcome),
                "approver": found.decision.approver,
                "why": list(found.decision.why),
            }
        )

    @extend_schema(request=AnswerSerializer, responses=OverrideSerializer)
    @action(detail=True, methods=["post"], permission_classes=[MayAnswer])
    def approve(self, request: Request, pk: str) -> Response:
        """Approve a request, or another change in its place; needs `If-Match`."""
        row, fields = self.get_object(), _answer(request)
        has_change = "kind" in fields and "change" in fields
        consent = pricing.Consent(
            version=expected_version(request),
            reason=fields["reason"],
            note=fields["note"],
            instead=change_of(fields) if has_change else None,
        )
        by = user_actor(request.user)
        return _shown(pricing.approve(row.pk, consent, by=by, now=clock.now()))

    @extend_schema(request=AnswerSerializer, responses=OverrideSerializer)
    @action(detail=True, methods=["post"], permission_classes=[MayAnswer])
    def reject(self, request: Request, pk: str) -> Response:
        """Reject a request, and say why; needs `If-Match`."""
        row, fields = self.get_object(), _answer(request)
        done = reject_override(
            override_id=row.pk,
            expected_version=expected_version(request),
            reason=fields["reason"],
            note=fields["note"],
            by=user_actor(request.user),
            now=clock.now(),
        )
        return _shown(done)

    @extend_schema(request=None, responses=OverrideSerializer)
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, pk: str) -> Response:
        """Take back what one has asked oneself."""
        row = self.get_object()
        by = user_actor(request.user)
        return _shown(withdraw_override(override_id=row.pk, by=by, now=clock.now()))

    def _check_depot(self, wish: Wish) -> None:
        """Let another depot's stops, routes and shifts be absent."""
        depots = Depot.objects.visible_to(self.request.user)
        get_object_or_404(depots, pk=where(wish).depot_id)


class DecisionRightViewSet(viewsets.ReadOnlyModelViewSet[DecisionRight]):
    """The rules of who may change what, every version; they are written in the admin."""

    queryset = DecisionRight.objects.all()
    serializer_class = DecisionRightSerializer
    permission_classes = [ModelPermissions]
    filterset_fields = {
        "kind": ["exact"],
        "role": ["exact"],
        "depot": ["exact"],
        "valid_until": ["isnull"],
    }

    def get_queryset(self) -> QuerySet[DecisionRight]:
        """Return the rules of the caller's depots, and those of the house."""
        rows = super().get_queryset()
        user: Any = self.request.user
        if user.is_superuser:
            return rows
        depots = Depot.objects.visible_to(user).values("pk")
        return rows.filter(Q(depot=None) | Q(depot__in=depots))


def _answer(request: Request) -> dict[str, Any]:
    shape = AnswerSerializer(data=request.data)
    shape.is_valid(raise_exception=True)
    fields: dict[str, Any] = shape.validated_data
    return fields


def _shown(row: Override, code: int = status.HTTP_200_OK) -> Response:
    return Response(
        OverrideSerializer(row).data, status=code, headers={"ETag": etag_of(row)}
    )
