"""The office's forms for who plans, and for what the machine may do."""

from django import forms
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from apps.core.office import VerbForm
from apps.routes.moderows import DecisionPoint
from apps.routes.states import PlanningMode


class SwitchForm(forms.Form):
    """Who is to plan, and why."""

    to = forms.ChoiceField(
        label="Who plans",
        required=False,
        choices=[*PlanningMode.choices, ("", "As this installation is set")],
        widget=UnfoldAdminSelectWidget,
    )
    why = forms.CharField(
        label="Why", max_length=300, widget=UnfoldAdminTextInputWidget
    )
    signed_off = forms.CharField(
        label="Red checks: why it may be switched on all the same",
        required=False,
        max_length=300,
        widget=UnfoldAdminTextInputWidget,
        help_text="Only needed where a check is red. It is kept with your name.",
    )


class LimitsForm(forms.Form):
    """What the engines may fail before the rules take over."""

    most_failures = forms.IntegerField(
        label="Failures",
        min_value=1,
        max_value=100,
        widget=UnfoldAdminIntegerFieldWidget,
    )
    window_s = forms.IntegerField(
        label="within so many seconds",
        min_value=1,
        max_value=86_400,
        widget=UnfoldAdminIntegerFieldWidget,
    )
    pause_s = forms.IntegerField(
        label="then a pause of so many seconds",
        min_value=1,
        max_value=86_400,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text="After it the engines are tried; each further pause is twice as long.",
    )


class DecisionPointForm(VerbForm):
    """What the machine may do, where, and why."""

    class Meta:
        """What the office may set."""

        model = DecisionPoint
        fields = ["act", "depot", "leave", "why"]
