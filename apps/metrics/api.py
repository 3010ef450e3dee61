"""The office's door to the figures of days."""

import uuid
from typing import TYPE_CHECKING, Any, cast

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.core import clock
from apps.core.problems import NotFound
from apps.depots.models import Depot
from apps.depots.scoping import ModelPermissions
from apps.feedback.selectors import pulse_survey
from apps.metrics import serializers as shapes
from apps.metrics.confidence import confidence_of, span_of_weeks
from apps.metrics.models import DailyFigure
from apps.metrics.monitoring import calibration_of, span_until
from apps.routes.board import today_of

if TYPE_CHECKING:
    from django.contrib.auth.models import User


class MonitorView(APIView):
    """What the machine said beside what came of it, by day."""

    queryset = DailyFigure.objects.all()
    permission_classes = [ModelPermissions]

    @extend_schema(parameters=[shapes.MonitorQuery], responses=shapes.MonitorSerializer)
    def get(self, request: Request, depot_id: uuid.UUID) -> Response:
        """Return a depot's daily figures, and coverage by zone and hour."""
        user = cast("User", request.user)
        depot = get_object_or_404(Depot.objects.visible_to(user), pk=depot_id)
        asked = shapes.MonitorQuery(data=request.query_params)
        asked.is_valid(raise_exception=True)
        told = asked.validated_data
        usual_first, last = span_until(told.get("last", today_of(depot, clock.now())))
        first = told.get("first", usual_first)
        rows = DailyFigure.objects.filter(
            depot=depot, day__gte=first, day__lte=last
        ).order_by("day", "name", "key")
        chosen = {name: told[name] for name in ("name", "key") if name in told}
        answer = {
            "first": first,
            "last": last,
            "figures": rows.filter(**chosen),
            "calibration": calibration_of(depot.pk, first, last),
        }
        return Response(shapes.MonitorSerializer(answer).data)


class MaySeeSurveys(BasePermission):
    """What people answered is for those who may see surveys."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Tell whether the caller may."""
        return request.user.has_perm("feedback.view_survey")


class ConfidenceView(APIView):
    """How confident each role is by week, beside overrides and being on time."""

    permission_classes = [MaySeeSurveys]

    @extend_schema(
        parameters=[shapes.ConfidenceQuery], responses=shapes.ConfidenceSerializer
    )
    def get(self, request: Request) -> Response:
        """Return a pulse's trend of one depot, or of all that the caller works for."""
        user = cast("User", request.user)
        asked = shapes.ConfidenceQuery(data=request.query_params)
        asked.is_valid(raise_exception=True)
        told = asked.validated_data
        depots = Depot.objects.visible_to(user)
        if "depot" in told:
            depots = depots.filter(pk=told["depot"])
        shown = list(depots)
        survey = pulse_survey(told["survey"])
        if not shown or survey is None:
            raise NotFound
        last = told.get("last", today_of(shown[0], clock.now()))
        found = confidence_of(survey, shown, *span_of_weeks(last, told["weeks"]))
        return Response(shapes.ConfidenceSerializer(found).data)
