"""The office's door to the figures of days."""

import uuid
from typing import TYPE_CHECKING, cast

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.core import clock
from apps.depots.models import Depot
from apps.depots.scoping import ModelPermissions
from apps.metrics import serializers as shapes
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
