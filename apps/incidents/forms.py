"""The office's forms for incidents and work."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib.auth.models import User
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from apps.incidents.models import Playbook
from apps.incidents.selectors import Load
from apps.incidents.states import ItemState, Outcome


class GiveForm(forms.Form):
    """To whom work is given; how much each has already stands beside the name."""

    owner = forms.TypedChoiceField(
        label="To whom", coerce=int, widget=UnfoldAdminSelectWidget
    )

    def __init__(
        self, *args: Any, people: Iterable[tuple[User, Load, bool]], **kwargs: Any
    ) -> None:
        """Offer these people, with their load, and whether they are away."""
        super().__init__(*args, **kwargs)
        field = self.fields["owner"]
        if isinstance(field, forms.ChoiceField):
            field.choices = [
                (user.pk, _named(user, load, is_away)) for user, load, is_away in people
            ]


def _named(user: User, load: Load, is_away: bool) -> str:
    name = user.get_full_name() or user.get_username()
    away = ", away: the stand-in gets it" if is_away else ""
    return f"{name} ({load.open} of {load.cap} open{away})"


class WhyForm(forms.Form):
    """Why something is done."""

    why = forms.CharField(
        label="Why", max_length=300, widget=UnfoldAdminTextInputWidget
    )


class ResolveForm(forms.Form):
    """How an incident ended."""

    outcome = forms.ChoiceField(
        label="How it ended",
        choices=[
            (choice.value, choice.label)
            for choice in (Outcome.SOLVED, Outcome.FALSE_ALARM)
        ],
        widget=UnfoldAdminSelectWidget,
    )
    resolution = forms.CharField(
        label="What was done", max_length=500, widget=UnfoldAdminTextareaWidget
    )


class NoteForm(forms.Form):
    """Words for the others."""

    words = forms.CharField(
        label="What the others should know",
        max_length=500,
        widget=UnfoldAdminTextareaWidget,
    )


class PlaybookForm(forms.Form):
    """Which list of steps is started."""

    playbook = forms.ModelChoiceField(
        queryset=Playbook.objects.none(),
        widget=UnfoldAdminSelectWidget,
        empty_label=None,
    )

    def __init__(self, *args: Any, playbooks: list[Playbook], **kwargs: Any) -> None:
        """Offer the playbooks that fit, the best first."""
        super().__init__(*args, **kwargs)
        field = self.fields["playbook"]
        if isinstance(field, forms.ModelChoiceField):
            ids = [playbook.pk for playbook in playbooks]
            field.queryset = Playbook.objects.filter(pk__in=ids)
            field.initial = ids[0] if ids else None


class SettleForm(forms.Form):
    """Whether a to-do is done, or not needed."""

    as_ = forms.ChoiceField(
        label="It is",
        choices=[
            (choice.value, choice.label)
            for choice in (ItemState.DONE, ItemState.DROPPED)
        ],
        widget=UnfoldAdminSelectWidget,
    )
    note = forms.CharField(
        label="Note", max_length=300, required=False, widget=UnfoldAdminTextInputWidget
    )


class SpanForm(forms.Form):
    """From which day to which."""

    first = forms.DateField(required=False)
    last = forms.DateField(required=False)
