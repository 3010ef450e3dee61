"""What a decision about a proposal needs to know."""

from django import forms
from unfold.widgets import UnfoldAdminTextInputWidget


class BecauseForm(forms.Form):
    """Why, if somebody wants to say so."""

    because = forms.CharField(
        label="Why",
        max_length=250,
        required=False,
        widget=UnfoldAdminTextInputWidget(),
        help_text="Stands beside the new version of the rule.",
    )


class ReasonForm(forms.Form):
    """Why; it has to be said."""

    reason = forms.CharField(
        label="Why", max_length=250, widget=UnfoldAdminTextInputWidget()
    )
