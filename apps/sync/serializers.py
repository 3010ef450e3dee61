"""The shapes of the device's door, for the API's description.

The bodies themselves are read by msgspec (see `inbox` and `wire`).
"""

from typing import Any

from rest_framework import serializers


class EnrolmentShape(serializers.Serializer[Any]):
    """A device asks to be enrolled."""

    code = serializers.CharField(max_length=40)
    name = serializers.CharField(max_length=80, required=False)
    platform = serializers.CharField(max_length=80, required=False)


class SessionShape(serializers.Serializer[Any]):
    """A session is renewed (empty), or another driver signs in."""

    username = serializers.CharField(max_length=150, required=False)
    password = serializers.CharField(max_length=200, required=False)


class DriverShape(serializers.Serializer[Any]):
    """Who drives."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    language = serializers.CharField()


class SessionShown(serializers.Serializer[Any]):
    """A driver's session on this device."""

    session_token = serializers.CharField()
    session_expires_at = serializers.DateTimeField()
    driver = DriverShape()
    server_time = serializers.DateTimeField()


class EnrolledShown(SessionShown):
    """The device's own credential, and the first session."""

    device_id = serializers.UUIDField()
    device_token = serializers.CharField()


class TableShape(serializers.Serializer[Any]):
    """Changes of one table."""

    created = serializers.ListField()
    updated = serializers.ListField()
    deleted = serializers.ListField()


class PullShown(serializers.Serializer[Any]):
    """A page of changes."""

    changes = serializers.DictField(child=TableShape())
    timestamp = serializers.IntegerField(min_value=1)
    cursor = serializers.CharField()
    head = serializers.IntegerField()
    has_more = serializers.BooleanField()
    reset = serializers.BooleanField(required=False)
    experimentalStrategy = serializers.CharField(  # noqa: N815 - the clients' name
        required=False
    )
    server_time = serializers.DateTimeField()


class AnchorShape(serializers.Serializer[Any]):
    """Two clocks at one moment."""

    boot_id = serializers.CharField(max_length=64)
    mono_ms = serializers.FloatField()
    server_time = serializers.DateTimeField()
    rtt_ms = serializers.FloatField()


class ClocksShape(serializers.Serializer[Any]):
    """What the device says of itself."""

    id = serializers.CharField(required=False)
    boot_id = serializers.CharField(required=False)
    sent_mono_ms = serializers.FloatField(required=False)
    anchors = AnchorShape(many=True, required=False)


class PushShape(serializers.Serializer[Any]):
    """Events, and whatever else the client library sends along."""

    changes = serializers.DictField(child=TableShape())
    device = ClocksShape(required=False)


class VerdictShape(serializers.Serializer[Any]):
    """What became of an event."""

    result = serializers.CharField()
    code = serializers.CharField()
    detail = serializers.CharField()
    rule = serializers.CharField(
        required=False, help_text="The conflict's name; there only if there was one."
    )
    yours = serializers.CharField(required=False, help_text="What was reported.")
    ours = serializers.CharField(required=False, help_text="What was known.")
    winner = serializers.CharField(
        required=False, help_text="yours, ours, both, office, or waits."
    )
    advice = serializers.CharField(required=False, help_text="What the driver can do.")
    fault = serializers.CharField(
        required=False,
        help_text="Of what is rejected: why, in English, for the app's developer.",
    )


class ResultShape(VerdictShape):
    """What became of one row."""

    table = serializers.CharField()
    id = serializers.CharField()
    original = VerdictShape(required=False)


class PushShown(serializers.Serializer[Any]):
    """The answer to a push, row by row."""

    results = ResultShape(many=True)
    experimentalRejectedIds = serializers.DictField(  # noqa: N815 - as above
        child=serializers.ListField(child=serializers.CharField())
    )
    head = serializers.IntegerField()
    server_time = serializers.DateTimeField()


def _column(help_text: str, *, required: bool = False) -> serializers.ListField:
    return serializers.ListField(
        child=serializers.IntegerField(), required=required, help_text=help_text
    )


class TrackShape(serializers.Serializer[Any]):
    """Fixes of one boot: a column begins with a value, differences follow."""

    boot_id = serializers.CharField(max_length=64)
    mono_ms = _column("The monotonic clock.", required=True)
    lat_e6 = _column("Millionths of a degree.", required=True)
    lon_e6 = _column("Millionths of a degree.", required=True)
    accuracy_m = _column("Metres.")
    speed_cm_s = _column("Centimetres a second.")
    heading_deg = _column("Degrees from north.")
    wall_ms = serializers.IntegerField(
        required=False, help_text="The wall clock at the first fix, epoch milliseconds."
    )


class TracksShape(serializers.Serializer[Any]):
    """Where a device was; gzip it."""

    tracks = TrackShape(many=True)
    device = ClocksShape(required=False)


class TrackedShown(serializers.Serializer[Any]):
    """What became of the fixes."""

    stored = serializers.IntegerField()
    repeated = serializers.IntegerField()
    outside_shift = serializers.IntegerField(help_text="Not kept.")
    undated = serializers.IntegerField(help_text="Of a boot without clock; not kept.")
    server_time = serializers.DateTimeField()


class ImpactShown(serializers.Serializer[Any]):
    """What a change would do, and who would decide."""

    kind = serializers.CharField()
    impact = serializers.DictField()
    detail = serializers.CharField(help_text="In the driver's language.")
    outcome = serializers.CharField(help_text="allowed, approval or denied")
    approver = serializers.CharField()


class AskedShown(serializers.Serializer[Any]):
    """A request, as the table `overrides` has it."""

    id = serializers.CharField()
    kind = serializers.CharField()
    state = serializers.CharField()
    detail = serializers.CharField(help_text="In the driver's language.")
    event_id = serializers.CharField()
    stop_id = serializers.CharField()
    route_id = serializers.CharField()
    approver = serializers.CharField()
    impact = serializers.CharField(help_text="JSON.")
    asked_at = serializers.IntegerField()
    deadline_at = serializers.IntegerField(allow_null=True)
    answered_at = serializers.IntegerField(allow_null=True)


class TimeShown(serializers.Serializer[Any]):
    """Our clock, for an anchor."""

    server_time = serializers.DateTimeField()


class SchemaShown(serializers.Serializer[Any]):
    """The tables and columns of a schema version."""

    version = serializers.IntegerField()
    tables = serializers.ListField()
