"""What the office fills in: an order file, a cancellation, another day."""

from datetime import date
from typing import TYPE_CHECKING, Any

from django import forms
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminSingleDateWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from apps.depots.models import Depot
from apps.orders.drafts import MAX_FILE_BYTES, ImportOptions

if TYPE_CHECKING:
    from django.core.files.uploadedfile import UploadedFile


class UploadForm(forms.Form):
    """An order file for a depot."""

    file = forms.FileField(
        label="Order file",
        help_text="CSV or XLSX, up to 50 MiB; any encoding, either decimal sign.",
        widget=UnfoldAdminFileFieldWidget,
    )
    depot = forms.ModelChoiceField(
        Depot.objects.none(), to_field_name="code", widget=UnfoldAdminSelectWidget
    )
    service_date = forms.DateField(
        required=False,
        label="Date of service",
        help_text="Of rows that name no date themselves.",
        widget=UnfoldAdminSingleDateWidget,
    )
    make_references = forms.BooleanField(
        required=False,
        label="The file has no order numbers",
        help_text="Make each order's reference of its row's content.",
        widget=UnfoldBooleanWidget,
    )
    columns = forms.CharField(
        required=False,
        label="Columns by name",
        help_text="One a line: reference = Order no. Needed only where the header's "
        "names are not recognized.",
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
    )
    where = forms.CharField(
        required=False,
        label="Only the rows with",
        help_text="One a line: Header = value.",
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
    )

    def __init__(self, *args: Any, depots: Any, today: date, **kwargs: Any) -> None:
        """Offer the user's depots, and today."""
        super().__init__(*args, **kwargs)
        field = self.fields["depot"]
        if isinstance(field, forms.ModelChoiceField):
            field.queryset = depots
            field.empty_label = None
        self.fields["service_date"].initial = today

    def clean_file(self) -> "UploadedFile[bytes]":
        """Refuse too large a file before it is read."""
        file: UploadedFile[bytes] = self.cleaned_data["file"]
        if (file.size or 0) > MAX_FILE_BYTES:
            raise forms.ValidationError("A file has 50 MiB at the most.")
        return file

    def clean_columns(self) -> tuple[tuple[str, str], ...]:
        """Return the pairs that were written."""
        return _pairs(self.cleaned_data["columns"])

    def clean_where(self) -> tuple[tuple[str, str], ...]:
        """Return the pairs that were written."""
        return _pairs(self.cleaned_data["where"])

    def options(self) -> ImportOptions:
        """Return how the file is to be read."""
        return ImportOptions(
            columns=self.cleaned_data["columns"],
            where=self.cleaned_data["where"],
            make_references=self.cleaned_data["make_references"],
        )


def _pairs(text: str) -> tuple[tuple[str, str], ...]:
    pairs = []
    for line in filter(str.strip, text.splitlines()):
        name, sign, value = line.partition("=")
        if not sign or not name.strip():
            raise forms.ValidationError(f"Write “name = value”; this is not: {line}")
        pairs.append((name.strip(), value.strip()))
    return tuple(pairs)


class CancelForm(forms.Form):
    """Why orders are cancelled."""

    reason = forms.CharField(
        max_length=200,
        required=False,
        help_text="It stays in the audit trail: no names, no phone numbers.",
        widget=UnfoldAdminTextInputWidget,
    )


class PreferForm(forms.Form):
    """When the customer likes it best."""

    window = forms.CharField(
        required=False,
        label="Preferred times",
        help_text="On the order's day, such as 17:00-19:00; several with a semicolon "
        "between. Empty: no preference.",
        widget=UnfoldAdminTextInputWidget,
    )


class RescheduleForm(forms.Form):
    """Another day, without a window or with one."""

    service_date = forms.DateField(
        label="New date of service", widget=UnfoldAdminSingleDateWidget
    )
    window = forms.CharField(
        required=False,
        label="Time windows",
        help_text="Such as 08:00-10:00; 14:00-16:00. Empty: any time of the day.",
        widget=UnfoldAdminTextInputWidget,
    )
