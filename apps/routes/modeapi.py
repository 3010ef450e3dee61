"""The office's door to who plans a depot, and to what the machine may do."""

import uuid
from dataclasses import asdict

from django.db.models import Q, QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import ReadOnlyModelViewSet

from apps.core import clock
from apps.core.actors import user_actor
from apps.depots.models import Depot
from apps.depots.scoping import ModelPermissions
from apps.routes.moderows import DecisionPoint, DepotMode
from apps.routes.modeshapes import (
    DecisionPointRow,
    ModeShown,
    ReadinessShown,
    Switch,
)
from apps.routes.planners import mode_of
from apps.routes.readiness import blockers
from apps.routes.readyfacts import readiness_of
from apps.routes.services.modes import switch_mode


class MaySwitch(ModelPermissions):
    """To switch is to change the mode."""

    perms_map = {
        **ModelPermissions.perms_map,
        "POST": ["%(app_label)s.change_%(model_name)s"],
    }


def _depot(request: Request, depot_id: uuid.UUID) -> Depot:
    return get_object_or_404(Depot.objects.visible_to(request.user), pk=depot_id)


class ModeView(APIView):
    """Who plans a depot: the optimizer, or the rules alone."""

    queryset = DepotMode.objects.all()
    permission_classes = [MaySwitch]

    @extend_schema(operation_id="depots_mode", responses=ModeShown)
    def get(self, request: Request, depot_id: uuid.UUID) -> Response:
        """Return who plans it now, and why."""
        return _shown(_depot(request, depot_id))

    @extend_schema(
        operation_id="depots_mode_switch", request=Switch, responses=ModeShown
    )
    def post(self, request: Request, depot_id: uuid.UUID) -> Response:
        """Switch by hand; 409 where a red check stops it and nobody signs it off."""
        depot = _depot(request, depot_id)
        shape = Switch(data=request.data)
        shape.is_valid(raise_exception=True)
        told = shape.validated_data
        switch_mode(
            depot_id=depot.pk,
            to=told["mode"] or "",
            why=told["why"],
            signed_off=told["signed_off"],
            by=user_actor(request.user),
            now=clock.now(),
        )
        return _shown(depot)


def _shown(depot: Depot) -> Response:
    mode = mode_of(depot.pk)
    return Response(
        {
            "depot": depot.code,
            "mode": mode.mode,
            "cause": mode.cause,
            "text": mode.text,
            "since": mode.since,
            "by": mode.by,
            "why": mode.why,
            "on_trial": mode.on_trial,
            "tries_at": mode.tries_at,
        }
    )


class ReadinessView(APIView):
    """Whether a depot is ready for the optimizer."""

    queryset = DepotMode.objects.all()
    permission_classes = [ModelPermissions]

    @extend_schema(operation_id="depots_readiness", responses=ReadinessShown)
    def get(self, request: Request, depot_id: uuid.UUID) -> Response:
        """Return the checks, the red ones first."""
        depot = _depot(request, depot_id)
        checks = readiness_of(depot, clock.now())
        body = {
            "depot": depot.code,
            "is_ready": not blockers(checks),
            "checks": [asdict(check) for check in checks],
        }
        return Response(body)


class DecisionPointViewSet(ReadOnlyModelViewSet[DecisionPoint]):
    """Where the machine may act on its own."""

    queryset = DecisionPoint.objects.select_related("depot")
    serializer_class = DecisionPointRow
    permission_classes = [ModelPermissions]
    filterset_fields = ["act", "leave"]

    def get_queryset(self) -> QuerySet[DecisionPoint]:
        """Return the rows that hold in the caller's depots."""
        depots = Depot.objects.visible_to(self.request.user).values("pk")
        return super().get_queryset().filter(Q(depot__in=depots) | Q(depot=None))
