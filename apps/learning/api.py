"""The office's door to what was learned."""

from datetime import datetime

from django.db.models import Q, QuerySet
from django.utils.dateparse import parse_datetime
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.viewsets import ReadOnlyModelViewSet

from apps.core import clock
from apps.core.problems import FieldError, Invalid
from apps.depots.scoping import ModelPermissions, scoped
from apps.learning.models import Estimate
from apps.learning.serializers import EstimateRow

AT = OpenApiParameter(
    "at", datetime, description="As it stood then, with its zone; now without it."
)


@extend_schema_view(list=extend_schema(parameters=[AT]))
class EstimateViewSet(ReadOnlyModelViewSet[Estimate]):
    """What past days teach, as it stands; nothing is planned by it unapproved."""

    queryset = Estimate.objects.select_related("depot")
    serializer_class = EstimateRow
    permission_classes = [ModelPermissions]
    filterset_fields = ["depot", "kind", "key", "parent"]

    def get_queryset(self) -> QuerySet[Estimate]:
        """Return the estimates of the caller's depots; in the list, those that held."""
        rows = scoped(super().get_queryset(), self.request.user)
        if self.action != "list":
            return rows
        at = self._at()
        held = rows.filter(as_of__lte=at)
        return held.filter(Q(until_at=None) | Q(until_at__gt=at))

    def _at(self) -> datetime:
        text = self.request.query_params.get("at", "")
        if not text:
            return clock.now()
        try:
            at = parse_datetime(text)
        except ValueError:
            at = None
        if at is None or at.tzinfo is None:
            detail = "at is an instant with its zone, such as 2026-03-17T12:00:00Z."
            raise Invalid(detail, errors=[FieldError("/at", "bad_instant", detail)])
        return at
