"""The office's and the tools' door to proposals."""

from collections.abc import Callable, Sequence
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ReadOnlyModelViewSet

from apps.core import clock
from apps.core.actors import user_actor
from apps.depots.scoping import ModelPermissions, scoped
from apps.tuning.models import Proposal
from apps.tuning.serializers import Deciding, ProposalRow, WholeProposal
from apps.tuning.services import deciding


class MayDecide(ModelPermissions):
    """Deciding is a change, though it is a POST."""

    perms_map = {
        **ModelPermissions.perms_map,
        "POST": ["%(app_label)s.change_%(model_name)s"],
    }


class ProposalViewSet(ReadOnlyModelViewSet[Proposal]):
    """What the machine learned and proposes, and what people made of it."""

    queryset = Proposal.objects.select_related("depot")
    serializer_class = ProposalRow
    permission_classes: list[type[BasePermission]] = [ModelPermissions]
    filterset_fields = ["depot", "status", "topic"]

    def get_queryset(self) -> QuerySet[Proposal]:
        """Return the proposals of the caller's depots, the newest first."""
        return scoped(super().get_queryset(), self.request.user)

    def get_permissions(self) -> Sequence[Any]:
        """Ask for the right to change where a proposal is decided."""
        if self.action in ("approve", "decline", "revert"):
            return [MayDecide()]
        return super().get_permissions()

    @extend_schema(responses=WholeProposal)
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Return one proposal with its replayed days."""
        return Response(WholeProposal(self.get_object()).data)

    @extend_schema(request=Deciding, responses=ProposalRow)
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Put its values in force from the next plan on, and watch them."""
        return self._decided(request, deciding.approve)

    @extend_schema(request=Deciding, responses=ProposalRow)
    @action(detail=True, methods=["post"])
    def decline(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Let the values stay as they are; the reason goes to who reported it."""
        return self._decided(request, deciding.decline)

    @extend_schema(request=Deciding, responses=ProposalRow)
    @action(detail=True, methods=["post"])
    def revert(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Put the values before in force again, as the next version."""
        return self._decided(request, deciding.revert)

    def _decided(self, request: Request, verb: Callable[..., Proposal]) -> Response:
        shape = Deciding(data=request.data)
        shape.is_valid(raise_exception=True)
        row = verb(
            self.get_object().pk,
            reason=shape.validated_data["reason"],
            expected_version=shape.validated_data.get("version"),
            by=user_actor(request.user),
            now=clock.now(),
        )
        return Response(ProposalRow(row).data)
