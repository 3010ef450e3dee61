"""The office's form for questions of a plan: what its address asks."""

import re

from django import forms

from apps.routes.why.ledger import PlannedStops
from apps.routes.why.questions import About, Question


class QuestionForm(forms.Form):
    """A question as the address of the page has it; nothing asked is a question of cost."""

    about = forms.ChoiceField(
        choices=[(str(one), str(one)) for one in About], required=False
    )
    order = forms.UUIDField(required=False)
    other = forms.UUIDField(required=False)
    side = forms.ChoiceField(
        choices=[("before", "before"), ("after", "after")], required=False
    )
    shift = forms.UUIDField(required=False)
    numbers = forms.CharField(required=False, max_length=6000)
    around = forms.BooleanField(required=False)

    def question(self, routes: tuple[PlannedStops, ...]) -> Question | None:
        """Return the question; None where it lacks something, which `errors` say then."""
        if not self.is_valid():
            return None
        fields = self.cleaned_data
        asked = Question(
            about=About(fields["about"] or About.COST),
            order=str(fields["order"] or ""),
            other=str(fields["other"] or ""),
            after=fields["side"] == "after",
            shift=str(fields["shift"] or ""),
            sequence=self._sequence(routes),
            around=fields["around"],
        )
        if asked.missing and not self.errors:
            self.add_error(None, f"Choose {' and '.join(asked.missing)} first.")
        return None if self.errors else asked

    def _sequence(self, routes: tuple[PlannedStops, ...]) -> tuple[str, ...]:
        """Read the numbers of a route's stops, in the sequence wished for."""
        fields = self.cleaned_data
        if fields["about"] != About.SEQUENCE:
            return ()
        stops = next(
            (one.stops for one in routes if one.shift == str(fields["shift"])), ()
        )
        known = {number: order for order, number, _ in stops}
        numbers = [int(text) for text in re.findall(r"\d{1,6}", fields["numbers"])]
        strange = [str(number) for number in numbers if number not in known]
        if strange:
            self.add_error(None, f"The route has no stop {', '.join(strange)}.")
            return ()
        return tuple(known[number] for number in numbers)


def numbers_of(route: PlannedStops) -> str:
    """Return a route's numbers in their present sequence, to be changed."""
    return ", ".join(str(number) for _, number, _ in route.stops)
