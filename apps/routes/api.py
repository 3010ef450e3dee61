"""The office's door to plans and routes."""

import uuid
from datetime import date
from typing import Any, cast

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView

from apps.core import clock
from apps.core.actors import user_actor
from apps.core.etags import etag_of, expected_version
from apps.core.idempotency import idempotent
from apps.depots.models import Depot
from apps.depots.scoping import ModelPermissions, scoped
from apps.routes import selectors
from apps.routes.conditionrows import Condition
from apps.routes.models import Plan, PlanChange, Route
from apps.routes.serializers import (
    ConditionChange,
    ConditionRow,
    Confirmation,
    DayOverviewSerializer,
    LeftOutSerializer,
    NewCondition,
    PlanChangeSerializer,
    PlanRequestSerializer,
    PlanSerializer,
    RouteDetailSerializer,
    RouteSerializer,
    condition_draft,
)
from apps.routes.services import conditions, plans
from apps.routes.why import ledger
from apps.routes.whyshapes import (
    ExplanationSerializer,
    QuestionSerializer,
    question_asked,
)

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key", str, OpenApiParameter.HEADER, description="Repeat it to retry."
)


class MaySeeWhy(ModelPermissions):
    """To ask why changes nothing: whoever may see a plan and what was recommended may."""

    perms_map = {
        **ModelPermissions.perms_map,
        "POST": ModelPermissions.perms_map["GET"],
    }

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Ask for the right to see recommendations as well."""
        allowed: bool = super().has_permission(request, view)
        return allowed and request.user.has_perm("recommendations.view_recommendation")


class PlanViewSet(
    mixins.RetrieveModelMixin,
    mixins.ListModelMixin,
    viewsets.GenericViewSet[Plan],
):
    """Plans: ask for one, watch it being made, publish it."""

    queryset = Plan.objects.select_related("depot")
    serializer_class = PlanSerializer
    permission_classes = [ModelPermissions]
    filterset_fields = ["depot", "service_date", "kind", "status"]

    def get_queryset(self) -> QuerySet[Plan]:
        """Return the plans of the caller's depots."""
        return scoped(super().get_queryset(), self.request.user)

    @extend_schema(
        request=PlanRequestSerializer,
        responses={202: PlanSerializer},
        parameters=[IDEMPOTENCY_KEY],
    )
    @idempotent
    def create(self, request: Request) -> Response:
        """Ask for a day's plan; it is made in the background."""
        wanted = PlanRequestSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        depot = wanted.validated_data["depot"]
        get_object_or_404(Depot.objects.visible_to(_user(request)), pk=depot.pk)
        plan = plans.request_plan(
            depot_id=depot.pk,
            service_date=wanted.validated_data["service_date"],
            publish_when_ready=wanted.validated_data["publish_when_ready"],
            by=user_actor(request.user),
            now=clock.now(),
        )
        return Response(PlanSerializer(plan).data, status=status.HTTP_202_ACCEPTED)

    @extend_schema(request=None, responses=PlanSerializer)
    @action(detail=True, methods=["post"])
    def publish(self, request: Request, pk: str) -> Response:
        """Give a ready plan to its drivers."""
        plan = plans.publish_plan(
            self.get_object().pk, by=user_actor(request.user), now=clock.now()
        )
        return Response(PlanSerializer(plan).data)

    @extend_schema(
        parameters=[QuestionSerializer], responses=ExplanationSerializer, filters=False
    )
    @action(
        detail=True,
        permission_classes=[MaySeeWhy],
        filter_backends=[],
        pagination_class=None,
    )
    def explanations(self, request: Request, pk: str) -> Response:
        """Answer a question of a plan, or say how far the answer is."""
        found = ledger.explanation(
            self.get_object(), question_asked(request.query_params)
        )
        return Response(ExplanationSerializer(found).data)

    @extend_schema(
        request=QuestionSerializer,
        responses={200: ExplanationSerializer, 202: ExplanationSerializer},
    )
    @explanations.mapping.post
    def ask(self, request: Request, pk: str) -> Response:
        """Have a question answered that takes a while; ask again to repeat it safely."""
        found = ledger.ask(self.get_object(), question_asked(request.data))
        code = status.HTTP_202_ACCEPTED if found.is_under_way else status.HTTP_200_OK
        return Response(ExplanationSerializer(found).data, status=code)


class RouteViewSet(viewsets.ReadOnlyModelViewSet[Route]):
    """Routes of a day; one alone comes with its stops."""

    queryset = Route.objects.select_related("driver", "shift__vehicle")
    permission_classes = [ModelPermissions]
    filterset_fields = ["depot", "service_date", "driver", "status"]

    def get_queryset(self) -> QuerySet[Route]:
        """Return the routes of the caller's depots."""
        rows = scoped(super().get_queryset(), self.request.user)
        return rows.prefetch_related("stops__order") if self.detail else rows

    def get_serializer_class(self) -> type[RouteSerializer]:
        """Return the long form for one route, the short one for a list."""
        return RouteDetailSerializer if self.detail else RouteSerializer


class PlanChangeViewSet(
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    viewsets.GenericViewSet[PlanChange],
):
    """Differences told to drivers, and whether they confirmed them."""

    queryset = PlanChange.objects.select_related("driver", "route")
    serializer_class = PlanChangeSerializer
    permission_classes = [ModelPermissions]
    filterset_fields = {"driver": ["exact"], "acknowledged_at": ["isnull"]}

    def get_queryset(self) -> QuerySet[PlanChange]:
        """Return the changes of the caller's depots."""
        return scoped(super().get_queryset(), self.request.user, "route__depot")


class MayChange(ModelPermissions):
    """A verb on a row that exists is a change, though it is a POST."""

    perms_map = {
        **ModelPermissions.perms_map,
        "POST": ["%(app_label)s.change_%(model_name)s"],
    }


class ConditionViewSet(
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    viewsets.GenericViewSet[Condition],
):
    """Conditions of the road: traffic, weather, roadworks, closures."""

    queryset = Condition.objects.select_related("depot")
    serializer_class = ConditionRow
    permission_classes = [ModelPermissions]
    filterset_fields = {
        "depot": ["exact"],
        "kind": ["exact"],
        "status": ["exact"],
        "until_at": ["gt"],
    }

    def get_queryset(self) -> QuerySet[Condition]:
        """Return the conditions of the caller's depots."""
        return scoped(super().get_queryset(), self.request.user)

    def get_serializer_context(self) -> dict[str, Any]:
        """Add the instant at which a condition is in force or not."""
        return {**super().get_serializer_context(), "now": clock.now()}

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Return one condition, with its ETag."""
        return self._shown(self.get_object())

    @extend_schema(
        request=NewCondition,
        responses={201: ConditionRow},
        parameters=[IDEMPOTENCY_KEY],
    )
    @idempotent
    def create(self, request: Request) -> Response:
        """Report a condition; the routes that it touches follow at once."""
        fields = self._checked(NewCondition)
        now = clock.now()
        condition = conditions.report_condition(
            depot_id=fields["depot"].pk,
            draft=condition_draft(fields, now=now),
            source=Condition.Source.API,
            by=user_actor(request.user),
            now=now,
        )
        return self._shown(condition, status.HTTP_201_CREATED)

    @extend_schema(request=ConditionChange, responses=ConditionRow)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change an open condition; needs `If-Match`."""
        present, now = self.get_object(), clock.now()
        fields = self._checked(ConditionChange, partial=True)
        condition = conditions.change_condition(
            condition_id=present.pk,
            expected_version=expected_version(request),
            draft=condition_draft(fields, present, now=now),
            by=user_actor(request.user),
            now=now,
        )
        return self._shown(condition)

    @extend_schema(request=Confirmation, responses=ConditionRow)
    @action(detail=True, methods=["post"], permission_classes=[MayChange])
    def confirm(self, request: Request, pk: str) -> Response:
        """Confirm a driver's report; needs `If-Match`."""
        condition = conditions.confirm_condition(
            condition_id=self.get_object().pk,
            expected_version=expected_version(request),
            until_at=self._checked(Confirmation).get("until_at"),
            by=user_actor(request.user),
            now=clock.now(),
        )
        return self._shown(condition)

    @extend_schema(request=None, responses=ConditionRow)
    @action(detail=True, methods=["post"], permission_classes=[MayChange])
    def end(self, request: Request, pk: str) -> Response:
        """End a condition before its time; needs `If-Match`."""
        condition = conditions.end_condition(
            condition_id=self.get_object().pk,
            expected_version=expected_version(request),
            by=user_actor(request.user),
            now=clock.now(),
        )
        return self._shown(condition)

    def _checked(
        self, shape: type[BaseSerializer[Any]], *, partial: bool = False
    ) -> dict[str, Any]:
        serializer = shape(
            data=self.request.data,
            partial=partial,
            context=self.get_serializer_context(),
        )
        serializer.is_valid(raise_exception=True)
        fields: dict[str, Any] = serializer.validated_data
        return fields

    def _shown(self, condition: Condition, code: int = status.HTTP_200_OK) -> Response:
        body = ConditionRow(condition, context=self.get_serializer_context()).data
        return Response(body, status=code, headers={"ETag": etag_of(condition)})


class DayView(APIView):
    """A depot's day in figures."""

    queryset = Plan.objects.all()
    permission_classes = [ModelPermissions]

    @extend_schema(responses=DayOverviewSerializer)
    def get(self, request: Request, depot_id: uuid.UUID, day: date) -> Response:
        """Return plan, routes, stops by state, and what still waits."""
        depot = get_object_or_404(Depot.objects.visible_to(_user(request)), pk=depot_id)
        overview = selectors.day_overview(depot.pk, day)
        return Response(DayOverviewSerializer(overview).data)


class LeftOutView(APIView):
    """What a day leaves out."""

    queryset = Plan.objects.all()
    permission_classes = [ModelPermissions]

    @extend_schema(responses=LeftOutSerializer(many=True))
    def get(self, request: Request, depot_id: uuid.UUID, day: date) -> Response:
        """Return the orders that no route serves, each with why."""
        depot = get_object_or_404(Depot.objects.visible_to(_user(request)), pk=depot_id)
        rows: Any = selectors.left_out(depot.pk, day)
        return Response(LeftOutSerializer(rows, many=True).data)


def _user(request: Request) -> User:
    return cast("User", request.user)
