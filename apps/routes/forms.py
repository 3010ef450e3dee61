"""The office's forms for plans."""

from typing import Any

from django import forms
from django.db.models import QuerySet
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from apps.depots.models import Depot


class PlanDayForm(forms.Form):
    """Which day of which depot shall be planned."""

    depot = forms.ModelChoiceField(
        queryset=Depot.objects.none(), widget=UnfoldAdminSelectWidget
    )
    service_date = forms.DateField(
        label="Day", widget=UnfoldAdminTextInputWidget(attrs={"type": "date"})
    )
    publish_when_ready = forms.BooleanField(
        label="Publish when ready",
        required=False,
        widget=UnfoldBooleanWidget,
        help_text="Give the routes to the drivers without looking at them first.",
    )

    def __init__(self, *args: Any, depots: QuerySet[Depot], **kwargs: Any) -> None:
        """Offer the depots that the user works for."""
        super().__init__(*args, **kwargs)
        field = self.fields["depot"]
        if isinstance(field, forms.ModelChoiceField):
            field.queryset = depots
            field.empty_label = None


class DayForm(forms.Form):
    """The day that the board shows."""

    date = forms.DateField(required=False)
