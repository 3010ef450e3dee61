"""What every page of the door has: its link, its language, its headers, its refusals."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.csrf import csrf_exempt

from apps.core import clock
from apps.core.problems import Problem
from apps.customers.guards import (
    LockedOut,
    check_address,
    check_form,
    check_link,
    form_token,
    note_miss,
)
from apps.customers.looks import ink_on
from apps.customers.models import Link
from apps.customers.selectors import Door, LinkOver, LinkUnknown, door_of, open_link
from apps.customers.words import refusal_text

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self';"
    " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    "Cache-Control": "no-store",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
LANGUAGES = tuple(code for code, _ in settings.LANGUAGES)


@dataclass(frozen=True, slots=True)
class Visit:
    """One request with its link: what a page's view is given."""

    request: HttpRequest
    link: Link
    door: Door
    code: str
    language: str
    now: datetime

    def page(
        self, template: str, context: Mapping[str, Any], status: int = 200
    ) -> HttpResponse:
        """Return a page in the depot's look."""
        shared = frame(self.door, self.language)
        shared |= {"order": self.link.order, "form_token": form_token(self.link)}
        return render(self.request, template, {**shared, **context}, status=status)

    def again(self, name: str) -> HttpResponse:
        """Return to a page after a form was taken, so that a reload sends nothing."""
        return redirect(name, code=self.code)


View = Callable[[Visit], HttpResponse]


def frame(door: Door, language: str) -> dict[str, Any]:
    """Return what every page shows around its own words."""
    return {
        "door": door,
        "language": language,
        "languages": settings.LANGUAGES,
        "ink": ink_on(door.colour),
    }


def opened(purpose: str) -> Callable[[View], Callable[..., HttpResponse]]:
    """Let a view answer for links of one purpose; refusals become pages.

    GET and HEAD change nothing, whatever asks: robots that look at links see a page.
    """

    def made(view: View) -> Callable[..., HttpResponse]:
        @csrf_exempt  # the form's own token, see `guards`
        @wraps(view)
        def wrapper(request: HttpRequest, code: str) -> HttpResponse:
            response = _answer(view, request, code, purpose)
            for name, value in HEADERS.items():
                response[name] = value
            return response

        return wrapper

    return made


def _answer(view: View, request: HttpRequest, code: str, purpose: str) -> HttpResponse:
    now = clock.now()
    try:
        check_address(request)
        link = open_link(code, purpose, now)
        check_link(link, request)
    except LinkUnknown as problem:
        note_miss(request)
        return refused(request, problem)
    except (LinkOver, LockedOut) as problem:
        return refused(request, problem)
    language = language_of(request, link)
    visit = Visit(request, link, door_of(link.order.depot), code, language, now)
    with translation.override(language):
        try:
            if request.method == "POST":
                check_form(link, request)
            response = view(visit)
        except Problem as problem:
            context = {"problem_text": refusal_text(problem), "back": request.path}
            response = visit.page("customers/refused.html", context, problem.status)
        response["Content-Language"] = language
    return response


def refused(request: HttpRequest, problem: Problem) -> HttpResponse:
    """Return the page of a link that opens nothing; a known one still says whom to ask."""
    link = problem.link if isinstance(problem, LinkOver) else None
    language = language_of(request, link)
    door = door_of(link.order.depot) if link else Door("")
    with translation.override(language):
        context = {**frame(door, language), "problem_text": refusal_text(problem)}
        response = render(
            request, "customers/refused.html", context, status=problem.status
        )
    response["Content-Language"] = language
    if isinstance(problem, LockedOut):
        response["Retry-After"] = "900"
    return response


def language_of(request: HttpRequest, link: Link | None) -> str:
    """Return the language that is asked for, the customer's, or the browser's."""
    asked = request.GET.get("lang", "")
    if asked in LANGUAGES:
        return asked
    customer = link.order.customer if link else None
    own = customer.language.partition("-")[0].lower() if customer else ""
    if own in LANGUAGES:
        return own
    return translation.get_language_from_request(request)


def colour_rule(door: Door) -> SafeString:
    """Return the depot's colours as the stylesheet that a page links to."""
    return format_html(":root{{--brand:{};--ink:{}}}", door.colour, ink_on(door.colour))
