"""What the board is asked for."""

from typing import Any

from django import forms
from django.db.models import QuerySet

from apps.depots.models import Depot


class BoardForm(forms.Form):
    """Which depot's day the board shows, and whether only what needs a look."""

    depot = forms.ModelChoiceField(
        queryset=Depot.objects.none(),
        to_field_name="code",
        required=False,
        empty_label=None,
        widget=forms.Select(attrs={"id": "rm-depot"}),
    )
    date = forms.DateField(
        label="Day",
        required=False,
        widget=forms.DateInput(
            attrs={"type": "date", "id": "rm-day"}, format="%Y-%m-%d"
        ),
    )
    only = forms.ChoiceField(
        choices=[("", "All routes"), ("trouble", "That need a look")], required=False
    )

    def __init__(self, *args: Any, depots: QuerySet[Depot], **kwargs: Any) -> None:
        """Offer the depots that the user works for."""
        super().__init__(*args, **kwargs)
        field = self.fields["depot"]
        if isinstance(field, forms.ModelChoiceField):
            field.queryset = depots
