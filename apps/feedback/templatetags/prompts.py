"""What waits for an answer of whoever opens the office's first page."""

from typing import Any

from django import template
from django.contrib.auth.models import User
from django.utils.translation import get_language

from apps.core import clock
from apps.feedback.questions import in_language
from apps.feedback.selectors import waiting_ask

register = template.Library()


@register.inclusion_tag("feedback/prompt.html", takes_context=True)
def survey_prompt(context: dict[str, Any]) -> dict[str, Any]:
    """Return the survey that waits for the user, with why it was asked."""
    user = getattr(context.get("request"), "user", None)
    may = isinstance(user, User) and user.has_perm("feedback.add_response")
    ask = waiting_ask(user, clock.now()) if may and isinstance(user, User) else None
    if ask is None:
        return {"ask": None}
    language = get_language() or "en"
    return {
        "ask": ask,
        "request": context["request"],
        "title": in_language(ask.survey.title, language),
        "text": in_language(ask.survey.questions[0]["text"], language),
        "count": len(ask.survey.questions),
    }
