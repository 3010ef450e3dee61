"""The office's and programmes' door to verdicts and what they earn; reads only."""

from typing import Any

from django.db.models import Q, QuerySet
from rest_framework import viewsets

from apps.depots.models import Depot
from apps.depots.scoping import ModelPermissions, scoped
from apps.verdicts.models import RightsProposal, Verdict
from apps.verdicts.serializers import (
    RightsProposalSerializer,
    VerdictDetailSerializer,
    VerdictSerializer,
)


class VerdictViewSet(viewsets.ReadOnlyModelViewSet[Verdict]):
    """Who was right: the recommended and the chosen way, replayed on what happened."""

    queryset = Verdict.objects.select_related("depot")
    serializer_class = VerdictSerializer
    permission_classes = [ModelPermissions]
    filterset_fields = [
        "depot",
        "service_date",
        "subject",
        "kind",
        "role",
        "ruling",
        "override",
        "recommendation",
    ]

    def get_queryset(self) -> QuerySet[Verdict]:
        """Return the verdicts of the caller's depots."""
        rows = scoped(super().get_queryset(), self.request.user).order_by("-id")
        return rows if self.action == "retrieve" else rows.defer("arithmetic")

    def get_serializer_class(self) -> type[Any]:
        """Show the arithmetic of one alone."""
        return (
            VerdictDetailSerializer if self.action == "retrieve" else VerdictSerializer
        )


class RightsProposalViewSet(viewsets.ReadOnlyModelViewSet[RightsProposal]):
    """Decision rights that a role's record has earned, or lost; signed in the office."""

    queryset = RightsProposal.objects.all()
    serializer_class = RightsProposalSerializer
    permission_classes = [ModelPermissions]
    filterset_fields = ["depot", "kind", "role", "state", "direction"]

    def get_queryset(self) -> QuerySet[RightsProposal]:
        """Return the proposals of the caller's depots, and those of the house."""
        rows = super().get_queryset().order_by("-id")
        if self.request.user.is_superuser:
            return rows
        depots = Depot.objects.visible_to(self.request.user).values("pk")
        return rows.filter(Q(depot=None) | Q(depot__in=depots))
