"""A page that asks with a form, then calls one verb."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse

from apps.core import clock
from apps.core.actors import user_actor
from apps.core.office import OfficePage, row_url
from apps.core.problems import Problem
from apps.depots.selectors import is_absent
from apps.incidents.selectors import Load, colleagues_of, loads_of


class AskingPage(OfficePage):
    """Pages of a row that ask before a verb is called."""

    def ask(
        self,
        request: HttpRequest,
        row: Any,
        form: forms.Form,
        verb: Callable[..., str],
        *,
        title: str,
        button: str,
    ) -> HttpResponse:
        """Show the form, or call the verb with its fields and say what it returns."""
        if request.method == "POST" and form.is_valid():
            try:
                said = verb(
                    **form.cleaned_data, by=user_actor(request.user), now=clock.now()
                )
            except Problem as problem:
                form.add_error(None, problem.detail)
            else:
                messages.success(request, said)
                return self.to_row(row)
        return self.page(
            request,
            "incidents/ask.html",
            title=title,
            form=form,
            about=str(row),
            button=button,
            back=row_url(row),
        )


def people_with_loads(depot_id: Any) -> list[tuple[User, Load, bool]]:
    """Return everybody who may be given work, with what each has, and who is away."""
    people = list(colleagues_of(depot_id))
    loads, now = loads_of([person.pk for person in people]), clock.now()
    return [(person, loads[person.pk], is_absent(person.pk, now)) for person in people]


def given_words(name: str, warning: str) -> str:
    """Say to whom work went, and what speaks against it."""
    return f"{name} has it. {warning}".strip()
