"""Shapes of feedback and surveys on the wire; they decide nothing."""

from typing import Any

from rest_framework import serializers

from apps.feedback.models import (
    Feedback,
    FeedbackAnswer,
    FeedbackEdit,
    Response,
    Survey,
    SurveyImport,
)
from apps.feedback.words import DONE, NOT_DONE, REASONS


class EditRow(serializers.ModelSerializer[FeedbackEdit]):
    """One saying of a feedback."""

    class Meta:
        """As it came."""

        model = FeedbackEdit
        fields = ["rating", "reason", "text", "is_objection", "given_at", "received_at"]
        read_only_fields = fields


class AnswerRow(serializers.ModelSerializer[FeedbackAnswer]):
    """One answer of the office."""

    class Meta:
        """As it was said."""

        model = FeedbackAnswer
        fields = ["status", "code", "words", "at", "by"]
        read_only_fields = fields


class FeedbackRow(serializers.ModelSerializer[Feedback]):
    """A feedback, its history, and what the office answered."""

    edits = EditRow(many=True, read_only=True)
    answers = AnswerRow(many=True, read_only=True)

    class Meta:
        """Everything is read-only: verbs record and answer."""

        model = Feedback
        fields = [
            *("id", "depot", "recommendation", "person", "role", "stop_id"),
            *("rating", "reason", "text", "attachment_id", "is_objection"),
            *("status", "version", "given_at", "received_at", "raised_at"),
            *("seen_at", "seen_by", "answered_at", "answered_by"),
            *("answer_code", "answer", "edits", "answers"),
        ]
        read_only_fields = fields


class NewFeedback(serializers.Serializer[Any]):
    """What somebody of the office says of a recommendation."""

    recommendation = serializers.UUIDField()
    rating = serializers.IntegerField(min_value=1, max_value=5, required=False)
    reason = serializers.ChoiceField(choices=sorted(REASONS), required=False)
    text = serializers.CharField(max_length=2000, required=False)
    is_objection = serializers.BooleanField(default=False)


class Doing(serializers.Serializer[Any]):
    """What was done about a feedback."""

    code = serializers.ChoiceField(choices=sorted(DONE))
    words = serializers.CharField(max_length=2000, required=False, default="")


class Declining(serializers.Serializer[Any]):
    """Why nothing is done about a feedback."""

    code = serializers.ChoiceField(choices=sorted(NOT_DONE))
    words = serializers.CharField(max_length=2000, required=False, default="")


class SurveyRow(serializers.ModelSerializer[Survey]):
    """One version of a survey."""

    class Meta:
        """Versions are written by their verb."""

        model = Survey
        fields = [
            *("id", "key", "version", "audience", "title", "questions", "is_pulse"),
            *("trigger", "cap_days", "open_days", "least_answers", "status"),
            *("created_at", "live_at", "retired_at"),
        ]
        read_only_fields = fields


class NewSurvey(serializers.Serializer[Any]):
    """The next version of a survey; texts are language → words."""

    key = serializers.CharField(max_length=40)
    audience = serializers.ChoiceField(choices=Survey.Audience.values)
    title = serializers.DictField(child=serializers.CharField(max_length=200))
    questions = serializers.ListField(child=serializers.DictField())
    is_pulse = serializers.BooleanField(default=False)
    trigger = serializers.CharField(max_length=60, default="", allow_blank=True)
    cap_days = serializers.IntegerField(default=7)
    open_days = serializers.IntegerField(default=3)
    least_answers = serializers.IntegerField(default=5)


class TallyRow(serializers.Serializer[Any]):
    """One question's answers; nothing where too few people gave one."""

    question = serializers.CharField()
    kind = serializers.CharField()
    count = serializers.IntegerField()
    is_shown = serializers.BooleanField()
    by_value = serializers.DictField(child=serializers.IntegerField())
    mean = serializers.FloatField(allow_null=True)
    score = serializers.FloatField(allow_null=True)


class ResultsRow(serializers.Serializer[Any]):
    """A survey's results; without tallies while there are too few answers."""

    count = serializers.IntegerField()
    least_answers = serializers.IntegerField()
    is_shown = serializers.BooleanField()
    questions = TallyRow(many=True)


class AnswersUpload(serializers.Serializer[Any]):
    """A file of answers that Qualtrics, SurveyMonkey or Zigpoll wrote."""

    depot = serializers.UUIDField()
    format = serializers.ChoiceField(choices=SurveyImport.Format.values)
    file = serializers.FileField()


class SurveyImportRow(serializers.ModelSerializer[SurveyImport]):
    """What became of a file of answers."""

    class Meta:
        """Counted by the verb."""

        model = SurveyImport
        fields = [
            *("id", "survey", "depot", "format", "file_name", "sha256"),
            *("stored", "known", "quarantined", "imported_at", "imported_by"),
        ]
        read_only_fields = fields


class HookCall(serializers.Serializer[Any]):
    """One response as a tool's webhook posts it."""

    id = serializers.CharField(required=False)
    answered_at = serializers.CharField(required=False)
    language = serializers.CharField(required=False)
    answers = serializers.DictField()


class ResponseRow(serializers.ModelSerializer[Response]):
    """That answers were taken; who gave them is not told."""

    class Meta:
        """Without the person."""

        model = Response
        fields = ["id", "survey", "source", "answered_at", "received_at"]
        read_only_fields = fields
