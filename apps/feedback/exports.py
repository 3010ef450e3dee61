"""Answers as a file to take away, of the depots that its reader works for."""

import uuid
from typing import Any

from django.http import HttpResponse

from apps.depots.models import Depot
from apps.feedback.models import Survey
from apps.feedback.selectors import exported


def my_depots(user: Any) -> list[uuid.UUID] | None:
    """Return the depots of a user; None stands for all."""
    if user.is_superuser:
        return None
    return list(Depot.objects.visible_to(user).values_list("pk", flat=True))


def csv_answer(
    survey: Survey, form: str, depots: list[uuid.UUID] | None
) -> HttpResponse:
    """Return a survey's answers as a file."""
    answer = HttpResponse(exported(survey, form, depots), content_type="text/csv")
    name = f"{survey.key}-v{survey.version}-{form}.csv"
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
