"""The door to depots and their zones: read-only, the caller's own alone."""

import django_filters  # type: ignore[import-untyped]
from django.db.models import QuerySet
from rest_framework.viewsets import ReadOnlyModelViewSet

from apps.depots.models import Depot, Zone
from apps.depots.scoping import ModelPermissions, scoped
from apps.depots.serializers import DepotRow, ZoneRow


class DepotFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Depots by code."""

    code = django_filters.CharFilter(lookup_expr="iexact")

    class Meta:
        """Nothing but what is declared."""

        model = Depot
        fields: list[str] = []


class ZoneFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Zones by depot."""

    depot = django_filters.CharFilter("depot__code", "iexact", label="Depot's code")

    class Meta:
        """Nothing but what is declared."""

        model = Zone
        fields: list[str] = []


class DepotViewSet(ReadOnlyModelViewSet[Depot]):
    """The depots that the caller works for."""

    queryset = Depot.objects.all()
    serializer_class = DepotRow
    permission_classes = [ModelPermissions]
    filterset_class = DepotFilter

    def get_queryset(self) -> QuerySet[Depot]:
        """Return the depots that the caller may see."""
        return Depot.objects.visible_to(self.request.user)


class ZoneViewSet(ReadOnlyModelViewSet[Zone]):
    """The zones of the caller's depots."""

    queryset = Zone.objects.select_related("depot")
    serializer_class = ZoneRow
    permission_classes = [ModelPermissions]
    filterset_class = ZoneFilter

    def get_queryset(self) -> QuerySet[Zone]:
        """Return the zones that the caller may see."""
        return scoped(super().get_queryset(), self.request.user)
