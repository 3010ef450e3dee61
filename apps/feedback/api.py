"""The office's and the tools' door to feedback and surveys."""

import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers, status
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.permissions import AllowAny, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response as Reply
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet, ReadOnlyModelViewSet

from apps.core import clock
from apps.core.actors import user_actor
from apps.core.problems import NotFound
from apps.depots.models import Depot
from apps.depots.scoping import ModelPermissions, scoped
from apps.feedback import services
from apps.feedback.exports import csv_answer, my_depots
from apps.feedback.models import Feedback, Survey, SurveyImport
from apps.feedback.scores import Tally
from apps.feedback.selectors import Results, results_of
from apps.feedback.serializers import (
    AnswersUpload,
    Declining,
    Doing,
    FeedbackRow,
    HookCall,
    NewFeedback,
    NewSurvey,
    ResponseRow,
    ResultsRow,
    SurveyImportRow,
    SurveyRow,
)
from apps.recommendations.models import Recommendation

if TYPE_CHECKING:
    from django.contrib.auth.models import User


class MayTriage(ModelPermissions):
    """Answering is a change, though it is a POST."""

    perms_map = {
        **ModelPermissions.perms_map,
        "POST": ["%(app_label)s.change_%(model_name)s"],
    }


class MayImport(BasePermission):
    """A file of answers is taken from whoever may add imports."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Tell whether the caller may."""
        return request.user.has_perm("feedback.add_surveyimport")


class MayExport(BasePermission):
    """Single answers are given to whoever may see them."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Tell whether the caller may."""
        return request.user.has_perm("feedback.view_response")


def _checked(shape: serializers.Serializer[Any]) -> dict[str, Any]:
    shape.is_valid(raise_exception=True)
    return cast("dict[str, Any]", shape.validated_data)


class FeedbackViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, GenericViewSet[Feedback]
):
    """What people say of recommendations, and what the office answers."""

    queryset = Feedback.objects.prefetch_related("edits", "answers")
    serializer_class = FeedbackRow
    permission_classes: list[type[BasePermission]] = [ModelPermissions]
    filterset_fields = ["depot", "status", "role", "reason", "is_objection"]

    def get_queryset(self) -> QuerySet[Feedback]:
        """Return the feedback of the caller's depots."""
        return scoped(super().get_queryset(), self.request.user)

    def get_permissions(self) -> Sequence[Any]:
        """Ask for the right to change where feedback is answered."""
        if self.action in ("see", "act", "decline"):
            return [MayTriage()]
        return super().get_permissions()

    @extend_schema(request=NewFeedback, responses={201: FeedbackRow})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Reply:
        """Say something of a recommendation; said again, it takes the old one's place."""
        fields = _checked(NewFeedback(data=request.data))
        rows = scoped(Recommendation.objects.all(), request.user)
        about = rows.filter(pk=fields["recommendation"]).first()
        if about is None:
            raise NotFound
        by = user_actor(request.user)
        row = services.record_feedback(
            recommendation_id=about.pk,
            speaker=services.Speaker(by, "office", about.depot_id),
            opinion=services.Opinion(
                rating=fields.get("rating"),
                reason=fields.get("reason", ""),
                text=fields.get("text", ""),
                is_objection=fields["is_objection"],
            ),
            given_at=clock.now(),
            source_key=f"api:{uuid.uuid4()}",
            by=by,
            now=clock.now(),
        )
        return Reply(FeedbackRow(row).data, status.HTTP_201_CREATED)

    @extend_schema(request=None, responses=FeedbackRow)
    @action(detail=True, methods=["post"])
    def see(self, request: Request, *args: Any, **kwargs: Any) -> Reply:
        """Note that it was read."""
        row = services.mark_seen(
            feedback_id=self.get_object().pk,
            by=user_actor(request.user),
            now=clock.now(),
        )
        return Reply(FeedbackRow(row).data)

    @extend_schema(request=Doing, responses=FeedbackRow)
    @action(detail=True, methods=["post"])
    def act(self, request: Request, *args: Any, **kwargs: Any) -> Reply:
        """Say what was done about it."""
        row = self.get_object()
        fields = _checked(Doing(data=request.data))
        done = services.act_on(
            feedback_id=row.pk, by=user_actor(request.user), now=clock.now(), **fields
        )
        return Reply(FeedbackRow(done).data)

    @extend_schema(request=Declining, responses=FeedbackRow)
    @action(detail=True, methods=["post"])
    def decline(self, request: Request, *args: Any, **kwargs: Any) -> Reply:
        """Say why nothing is done about it."""
        row = self.get_object()
        fields = _checked(Declining(data=request.data))
        done = services.decline(
            feedback_id=row.pk, by=user_actor(request.user), now=clock.now(), **fields
        )
        return Reply(FeedbackRow(done).data)


class SurveyViewSet(ReadOnlyModelViewSet[Survey]):
    """Surveys by version, their results, and answers from elsewhere."""

    queryset = Survey.objects.all()
    serializer_class = SurveyRow
    permission_classes: list[type[BasePermission]] = [ModelPermissions]
    filterset_fields = ["key", "status", "audience"]

    def get_permissions(self) -> Sequence[Any]:
        """Ask for what each door needs."""
        if self.action == "imports":
            return [MayImport()]
        if self.action == "export":
            return [MayExport()]
        return super().get_permissions()

    @extend_schema(request=NewSurvey, responses={201: SurveyRow})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Reply:
        """Write the next version of a survey, as a draft."""
        fields = _checked(NewSurvey(data=request.data))
        row = services.write_survey(
            services.SurveyDraft(**fields),
            by=user_actor(request.user),
            now=clock.now(),
        )
        return Reply(SurveyRow(row).data, status.HTTP_201_CREATED)

    @extend_schema(responses=ResultsRow)
    @action(detail=True)
    def results(self, request: Request, *args: Any, **kwargs: Any) -> Reply:
        """Return what was answered, once enough people have."""
        found = results_of(self.get_object(), my_depots(request.user))
        return Reply(_results(found))

    @extend_schema(
        request={"multipart/form-data": AnswersUpload}, responses={201: SurveyImportRow}
    )
    @action(detail=True, methods=["post"], parser_classes=[MultiPartParser])
    def imports(self, request: Request, *args: Any, **kwargs: Any) -> Reply:
        """Take in a file of answers; the same file again changes nothing."""
        fields = _checked(AnswersUpload(data=request.data))
        survey = self.get_object()
        visible = Depot.objects.visible_to(cast("User", request.user))
        depot = visible.filter(pk=fields["depot"]).first()
        if depot is None:
            raise NotFound("There is no such depot.")
        run = services.import_responses(
            survey_id=survey.pk,
            depot_id=depot.pk,
            form=fields["format"],
            file_name=fields["file"].name,
            content=fields["file"].read(),
            by=user_actor(request.user),
            now=clock.now(),
        )
        return Reply(SurveyImportRow(run).data, status.HTTP_201_CREATED)

    @extend_schema(
        parameters=[
            OpenApiParameter(
                "form", str, enum=SurveyImport.Format.values, default="qualtrics"
            )
        ],
        responses={(200, "text/csv"): OpenApiTypes.STR},
    )
    @action(detail=True)
    def export(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        """Return the answers as one of the tools' CSV, without who gave them."""
        form = request.query_params.get("form", "qualtrics")
        if form not in SurveyImport.Format.values:
            raise NotFound("There is no such format.")
        survey = self.get_object()
        return csv_answer(survey, form, my_depots(request.user))


def _results(found: Results) -> dict[str, Any]:
    return {
        "count": found.count,
        "least_answers": found.survey.least_answers,
        "is_shown": found.is_shown,
        "questions": [_tally(each) for each in found.tallies],
    }


def _tally(each: Tally) -> dict[str, Any]:
    return {
        "question": each.question.id,
        "kind": each.question.kind,
        "count": each.count,
        "is_shown": each.is_shown,
        "by_value": dict(each.by_value),
        "mean": each.mean,
        "score": each.score,
    }


class SurveyHookView(APIView):
    """Where a tool's webhook posts one response, signed with the hook's secret."""

    authentication_classes: list[Any] = []
    permission_classes = [AllowAny]

    @extend_schema(
        parameters=[
            OpenApiParameter(
                "X-Timestamp", str, OpenApiParameter.HEADER, required=True
            ),
            OpenApiParameter(
                "X-Signature", str, OpenApiParameter.HEADER, required=True
            ),
        ],
        request=HookCall,
        responses={200: ResponseRow, 202: None},
        auth=[],
    )
    def post(self, request: Request, hook_id: uuid.UUID) -> Reply:
        """Take one response; 202 says that it went into quarantine."""
        row = services.take_webhook(
            hook_id=hook_id,
            body=request.body,
            timestamp=request.headers.get("X-Timestamp", ""),
            signature=request.headers.get("X-Signature", ""),
            now=clock.now(),
        )
        if row is None:
            return Reply(status=status.HTTP_202_ACCEPTED)
        return Reply(ResponseRow(row).data)
