"""The office's door to what customers ask and hear; customers themselves come by links."""

import uuid
from datetime import date
from typing import TYPE_CHECKING, cast

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.customers import selectors
from apps.customers.serializers import CustomersDaySerializer
from apps.depots.models import Depot
from apps.depots.scoping import ModelPermissions
from apps.notifications.models import Message

if TYPE_CHECKING:
    from django.contrib.auth.models import User


class CustomersDayView(APIView):
    """A day as its customers had it, in figures."""

    queryset = Message.objects.all()
    permission_classes = [ModelPermissions]

    @extend_schema(responses=CustomersDaySerializer)
    def get(self, request: Request, depot_id: uuid.UUID, day: date) -> Response:
        """Return messages sent by kind, and questions where an order is per 100 orders."""
        user = cast("User", request.user)
        depot = get_object_or_404(Depot.objects.visible_to(user), pk=depot_id)
        figures = selectors.customers_day(depot.pk, day)
        return Response(CustomersDaySerializer(figures).data)
