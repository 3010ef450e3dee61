"""The office's door to the ledger."""

from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.depots.scoping import ModelPermissions, scoped
from apps.recommendations import services
from apps.recommendations.models import Recommendation
from apps.recommendations.serializers import RecommendationSerializer, StorySerializer
from apps.recommendations.story import missing_stages, story_of


class RecommendationViewSet(viewsets.ReadOnlyModelViewSet[Recommendation]):
    """Every output of the machine, with its reasons and what became of it."""

    queryset = Recommendation.objects.all()
    serializer_class = RecommendationSerializer
    permission_classes = [ModelPermissions]
    filterset_fields = ["depot", "kind", "state", "engine", "mode", "subject_id"]

    def get_queryset(self) -> QuerySet[Recommendation]:
        """Return the recommendations of the caller's depots."""
        return scoped(super().get_queryset(), self.request.user)

    @extend_schema(responses={(200, "application/json"): OpenApiTypes.OBJECT})
    @action(detail=True)
    def inputs(self, request: Request, pk: str) -> HttpResponse:
        """Return what the engine was given, to the byte."""
        content = services.stored_inputs(self.get_object())
        return HttpResponse(content, content_type="application/json")

    @extend_schema(responses={(200, "application/json"): OpenApiTypes.OBJECT})
    @action(detail=True)
    def answer(self, request: Request, pk: str) -> HttpResponse:
        """Return what the engine answered, to the byte."""
        content = services.stored_answer(self.get_object())
        return HttpResponse(content, content_type="application/json")

    @extend_schema(responses=StorySerializer)
    @action(detail=True)
    def story(self, request: Request, pk: str) -> Response:
        """Return it with its feedback, overrides, outcome, verdicts and what changed."""
        row = self.get_object()
        steps = story_of(row, request.user)
        told = {
            "recommendation": row,
            "steps": steps,
            "not_yet": missing_stages(steps),
        }
        return Response(StorySerializer(told).data)
