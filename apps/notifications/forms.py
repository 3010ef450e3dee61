"""The office's forms: a depot's policy, its words, a person's consent."""

from typing import Any

from django import forms
from django.conf import settings
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from apps.core.office import VerbForm
from apps.notifications import kinds
from apps.notifications.models import Consent, MessagePolicy, MessageTemplate

CAN_BE_OFF = [
    (code, kind.title) for code, kind in kinds.KINDS.items() if kind.can_be_off
]
EVERY_KIND = [(code, kind.title) for code, kind in kinds.KINDS.items()]


class CodesField(forms.CharField):
    """Codes in their order, separated by commas."""

    widget = UnfoldAdminTextInputWidget

    def __init__(self, *, allowed: Any = None, **kwargs: Any) -> None:
        """Take the codes that are allowed; None: two letters each."""
        self.allowed = allowed
        super().__init__(**kwargs)

    def prepare_value(self, value: Any) -> Any:
        """Return the codes as one line."""
        return ", ".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        """Return the codes, each once, in their order."""
        text = super().to_python(value) or ""
        found = list(
            dict.fromkeys(one.strip() for one in text.split(",") if one.strip())
        )
        if self.allowed is None:
            found = [one.upper() for one in found]
            wrong = [one for one in found if len(one) != 2 or not one.isalpha()]
        else:
            found = [one.lower() for one in found]
            wrong = [one for one in found if one not in self.allowed]
        if wrong:
            known = "two letters each, as DE, AT"
            if self.allowed is not None:
                known = f"known are {', '.join(self.allowed)}"
            raise forms.ValidationError(f"{', '.join(wrong)}: {known}.")
        return found

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Compare the codes, not the line."""
        try:
            return bool((initial or []) != self.to_python(data))
        except forms.ValidationError:
            return True


class PolicyForm(VerbForm):
    """How a depot writes."""

    channels = CodesField(
        allowed=kinds.CHANNELS,
        help_text="In the order in which a person is tried: sms, whatsapp, email, push.",
    )
    countries = CodesField(
        required=False,
        help_text="Whose phone numbers are written to: DE, AT. Empty: the depot's own.",
    )
    kinds_off = forms.MultipleChoiceField(
        label="Switched off",
        required=False,
        choices=CAN_BE_OFF,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )
    kinds_urgent = forms.MultipleChoiceField(
        label="Sent in quiet hours too",
        required=False,
        choices=EVERY_KIND,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )

    class Meta:
        """All but who changed it."""

        model = MessagePolicy
        fields = [
            *("depot", "sender", "language", "channels", "kinds_off", "kinds_urgent"),
            *("quiet_from", "quiet_until"),
            *("eta_moved_min", "on_the_way_min", "late_min"),
            *("countries", "most_a_person", "most_a_prefix", "most_a_depot"),
        ]


class TemplateForm(VerbForm):
    """A depot's own words."""

    kind = forms.ChoiceField(choices=EVERY_KIND, widget=UnfoldAdminSelectWidget)
    language = forms.ChoiceField(
        choices=settings.LANGUAGES, widget=UnfoldAdminSelectWidget
    )
    text = forms.CharField(
        max_length=1000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4, "data-preview-text": ""}),
    )

    class Meta:
        """All but who changed it."""

        model = MessageTemplate
        fields = ["depot", "kind", "language", "title", "text"]


class ConsentForm(VerbForm):
    """What a person has told the office."""

    purpose = forms.ChoiceField(
        choices=[(code, kinds.PURPOSES[code]) for code in kinds.CONSENT_PURPOSES],
        widget=UnfoldAdminSelectWidget,
    )
    address = forms.CharField(
        max_length=254,
        widget=UnfoldAdminTextInputWidget,
        help_text="Phone with its country, as +49912312345, or email.",
    )

    class Meta:
        """Who, for what, yes or no."""

        model = Consent
        fields = ["depot", "address", "purpose", "is_given", "note"]
