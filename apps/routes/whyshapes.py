"""Shapes of questions of a plan, and of their answers, on the wire."""

from typing import Any

from rest_framework import serializers

from apps.core.problems import FieldError, Invalid
from apps.routes.why.ledger import Stage
from apps.routes.why.questions import About, Question


class QuestionSerializer(serializers.Serializer[Any]):
    """A question of a plan; what it must name depends on what it is about."""

    about = serializers.ChoiceField(
        choices=[(str(one), str(one)) for one in About],
        default=str(About.COST),
        help_text="cost: by route and part. left_out: why an `order` is unserved, and "
        "what would serve it. stop: why an `order` is where it is. What if: beside (an "
        "`order` before or after an `other`), on_route (an `order` on a `shift`), "
        "without (an `order`), sequence (a `shift` drives `sequence`).",
    )
    order = serializers.UUIDField(required=False)
    other = serializers.UUIDField(required=False)
    after = serializers.BooleanField(
        default=False, help_text="With `beside`: after the other, not before it."
    )
    shift = serializers.UUIDField(required=False)
    sequence = serializers.ListField(
        child=serializers.UUIDField(),
        default=list,
        max_length=2000,
        help_text="Orders of the shift in the sequence wished for.",
    )
    around = serializers.BooleanField(
        default=False,
        help_text="What if: plan the rest anew about it; in the background.",
    )


def question_asked(data: Any) -> Question:
    """Read a question from a query or a body.

    Raises:
        Invalid: it does not name what it is about.
    """
    asked = QuestionSerializer(data=data)
    asked.is_valid(raise_exception=True)
    fields = asked.validated_data
    question = Question(
        about=About(fields["about"]),
        order=str(fields.get("order", "")),
        other=str(fields.get("other", "")),
        after=fields["after"],
        shift=str(fields.get("shift", "")),
        sequence=tuple(str(one) for one in fields["sequence"]),
        around=fields["around"],
    )
    if question.missing:
        detail = f"A question about {question.about} needs it."
        raise Invalid(
            errors=[
                FieldError(f"/{name}", "required", detail) for name in question.missing
            ]
        )
    return question


class PartSerializer(serializers.Serializer[Any]):
    """One part of a cost."""

    code = serializers.CharField()
    name = serializers.CharField()
    minor = serializers.IntegerField()


class MovedSerializer(serializers.Serializer[Any]):
    """A stop that the other plan serves elsewhere or at another time."""

    order = serializers.CharField()
    text = serializers.CharField()
    later_s = serializers.IntegerField()


class BrokenSerializer(serializers.Serializer[Any]):
    """A rule that the other plan breaks."""

    code = serializers.CharField()
    order = serializers.CharField()
    shift = serializers.CharField()
    text = serializers.CharField()


class PriceSerializer(serializers.Serializer[Any]):
    """What another plan costs, and changes, against the one that stands."""

    summary = serializers.CharField()
    cost_minor = serializers.IntegerField()
    parts = PartSerializer(many=True)
    duration_s = serializers.IntegerField()
    distance_m = serializers.IntegerField()
    overtime_s = serializers.IntegerField()
    moved = MovedSerializer(many=True)
    broken = BrokenSerializer(many=True)


class BlockerSerializer(serializers.Serializer[Any]):
    """What keeps an order from some routes."""

    shifts = serializers.ListField(child=serializers.CharField())
    drivers = serializers.CharField()
    codes = serializers.ListField(child=serializers.CharField())
    text = serializers.CharField()


class OptionSerializer(serializers.Serializer[Any]):
    """A relaxation that was tried, or another place for a stop."""

    code = serializers.CharField()
    outcome = serializers.CharField(
        help_text="serves, costs_too_much or does_not_help; of a place dearer, same or "
        "cheaper."
    )
    text = serializers.CharField()
    cost_minor = serializers.IntegerField(
        allow_null=True, help_text="What the routes cost more."
    )
    is_cheapest = serializers.BooleanField()


class CostRowSerializer(serializers.Serializer[Any]):
    """A route's cost by part, or the plan's."""

    name = serializers.CharField()
    shift = serializers.CharField()
    amounts = serializers.ListField(child=serializers.IntegerField())
    total = serializers.IntegerField()


class CostTableSerializer(serializers.Serializer[Any]):
    """A plan's cost by route and part, in minor units; rows and columns add up."""

    codes = serializers.ListField(child=serializers.CharField())
    parts = serializers.ListField(child=serializers.CharField())
    rows = CostRowSerializer(many=True)
    total = CostRowSerializer()


class AnswerSerializer(serializers.Serializer[Any]):
    """An answer: the summary alone would do, the rest says more."""

    about = serializers.CharField()
    title = serializers.CharField()
    summary = serializers.CharField()
    facts = serializers.ListField(child=serializers.CharField())
    blockers = BlockerSerializer(many=True)
    options = OptionSerializer(many=True)
    price = PriceSerializer(allow_null=True)
    around = PriceSerializer(allow_null=True)
    table = CostTableSerializer(allow_null=True)


class ExplanationSerializer(serializers.Serializer[Any]):
    """An answer, or how far it is."""

    stage = serializers.ChoiceField(choices=[(str(one), str(one)) for one in Stage])
    percent = serializers.IntegerField()
    text = serializers.CharField()
    answer = AnswerSerializer(allow_null=True)
