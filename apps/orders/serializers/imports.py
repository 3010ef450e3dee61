"""The shape of order files and of their imports on the wire."""

from typing import TYPE_CHECKING, Any

from rest_framework import serializers

from apps.orders.drafts import (
    MAX_FILE_BYTES,
)
from apps.orders.models import (
    ImportRun,
    QuarantinedRow,
)

if TYPE_CHECKING:
    from django.core.files.uploadedfile import UploadedFile


class ImportUpload(serializers.Serializer[Any]):
    """An order file."""

    file = serializers.FileField(help_text="CSV or XLSX.")
    depot = serializers.CharField(max_length=32, help_text="The depot's code.")
    service_date = serializers.DateField(
        required=False, help_text="Of rows that name no date themselves."
    )
    columns = serializers.JSONField(
        required=False, help_text='Fields named outright: {"reference": "Order no."}.'
    )
    where = serializers.JSONField(
        required=False, help_text='Only these rows: [["Header", "value"]].'
    )
    make_references = serializers.BooleanField(default=False)
    encoding = serializers.CharField(
        max_length=32, required=False, allow_blank=True, default=""
    )

    def validate_file(self, value: "UploadedFile[bytes]") -> "UploadedFile[bytes]":
        """Refuse too large a file before it is read."""
        if (value.size or 0) > MAX_FILE_BYTES:
            raise serializers.ValidationError(
                "A file has 50 MiB at the most: cut it in parts.", code="too_large"
            )
        return value

    def validate_columns(self, value: Any) -> dict[str, str]:
        """Take an object of texts."""
        if not isinstance(value, dict) or not all(
            isinstance(header, str) for header in value.values()
        ):
            raise serializers.ValidationError("Give an object: field to header.")
        return value

    def validate_where(self, value: Any) -> list[tuple[str, str]]:
        """Take pairs of texts."""
        pairs = list(value.items()) if isinstance(value, dict) else value
        if not isinstance(pairs, list) or not all(
            isinstance(pair, list | tuple)
            and len(pair) == 2
            and all(isinstance(part, str) for part in pair)
            for pair in pairs
        ):
            raise serializers.ValidationError("Give pairs: header and value.")
        return [(header, wanted) for header, wanted in pairs]


class ImportRow(serializers.ModelSerializer[ImportRun]):
    """An import and how far it is."""

    depot = serializers.CharField(source="depot.code")

    class Meta:
        """All but the file itself."""

        model = ImportRun
        fields = [
            "id",
            "depot",
            "service_date",
            "file_name",
            "state",
            "problem",
            "mapping",
            "encoding",
            "rows",
            "rows_done",
            "created",
            "updated",
            "unchanged",
            "quarantined",
            "requested_at",
            "finished_at",
        ]


class QuarantineRow(serializers.ModelSerializer[QuarantinedRow]):
    """A row of a file that could not become an order."""

    class Meta:
        """As it came, and what is wrong with it."""

        model = QuarantinedRow
        fields = ["line", "reference", "raw", "faults", "resolved_at"]
