"""Shapes of incidents and work on the wire."""

from rest_framework import serializers

from apps.incidents.kinds import KINDS
from apps.incidents.models import ActionItem, Incident, Playbook, PlaybookStep
from apps.incidents.states import ItemState, Outcome, Severity


class IncidentRow(serializers.ModelSerializer[Incident]):
    """An incident."""

    depot = serializers.CharField(source="depot.code")
    owner = serializers.CharField(source="owner.username", default=None, read_only=True)

    class Meta:
        """Everything is read-only: verbs change it."""

        model = Incident
        fields = [
            *("id", "depot", "kind", "cause", "title", "severity", "status"),
            *("subject_type", "subject_id", "details", "role", "level", "owner"),
            *("deadline_at", "raised_at", "raised_by", "resolved_at", "resolved_by"),
            *("outcome", "resolution", "version"),
        ]
        read_only_fields = fields


class NewIncident(serializers.Serializer[None]):
    """What somebody noticed; the same cause raises one."""

    depot = serializers.CharField(max_length=32)
    kind = serializers.ChoiceField(choices=[(code, code) for code in KINDS])
    cause = serializers.CharField(max_length=120)
    title = serializers.CharField(max_length=200, required=False, default="")
    severity = serializers.ChoiceField(
        choices=Severity.choices, required=False, default=""
    )
    details = serializers.DictField(
        child=serializers.CharField(max_length=500), required=False, default=dict
    )


class Giving(serializers.Serializer[None]):
    """To whom work is given, by user name."""

    owner = serializers.CharField(max_length=150)


class GivenShown(serializers.Serializer[None]):
    """Who has it now, and what speaks against it: a stand-in, a cap."""

    owner = serializers.CharField()
    warning = serializers.CharField(allow_blank=True)


class Escalation(serializers.Serializer[None]):
    """Why the next role is to have it."""

    why = serializers.CharField(max_length=500)


class Resolution(serializers.Serializer[None]):
    """How it ended."""

    outcome = serializers.ChoiceField(choices=Outcome.choices, default=Outcome.SOLVED)
    resolution = serializers.CharField(max_length=500)


class PlaybookChoice(serializers.Serializer[None]):
    """Which list of steps is started."""

    playbook = serializers.UUIDField()


class Settlement(serializers.Serializer[None]):
    """Whether a to-do is done, or not needed."""

    state = serializers.ChoiceField(
        choices=[ItemState.DONE, ItemState.DROPPED], default=ItemState.DONE
    )
    note = serializers.CharField(max_length=300, required=False, default="")


class ItemRow(serializers.ModelSerializer[ActionItem]):
    """A to-do."""

    depot = serializers.CharField(source="depot.code")
    owner = serializers.CharField(source="owner.username", default=None, read_only=True)

    class Meta:
        """Everything is read-only: verbs change it."""

        model = ActionItem
        fields = [
            *("id", "depot", "incident", "playbook", "number", "text", "role"),
            *("owner", "status", "due_at", "given_at", "given_by", "settled_at"),
            *("settled_by", "note"),
        ]
        read_only_fields = fields


class StepRow(serializers.ModelSerializer[PlaybookStep]):
    """A step of a playbook."""

    class Meta:
        """What, whose, and until when."""

        model = PlaybookStep
        fields = ["number", "text", "role", "due_min"]


class PlaybookRow(serializers.ModelSerializer[Playbook]):
    """A named list of steps."""

    depot = serializers.CharField(source="depot.code", default=None, read_only=True)
    steps = StepRow(many=True, read_only=True)

    class Meta:
        """All of it."""

        model = Playbook
        fields = ["id", "code", "name", "depot", "about", "is_active", "steps"]


class TallyShown(serializers.Serializer[None]):
    """Changes of what was planned, counted by who gave cause to them."""

    depot = serializers.CharField()
    first = serializers.DateField()
    last = serializers.DateField()
    total = serializers.IntegerField()
    by_who = serializers.DictField(child=serializers.IntegerField())
    by_day = serializers.DictField(
        child=serializers.DictField(child=serializers.IntegerField())
    )
    by_cause = serializers.DictField(
        child=serializers.DictField(child=serializers.IntegerField())
    )
    by_campaign = serializers.DictField(child=serializers.IntegerField())
