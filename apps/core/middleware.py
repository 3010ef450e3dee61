"""What every request passes: an id, a line in the log, the browser's limits."""

import re
import time
from collections.abc import Callable

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import resolve
from django.utils import translation

from apps.core.ids import uuid7

log = structlog.get_logger(__name__)

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
QUIET_ROUTES = frozenset({"healthz", "readyz"})

STRICT_POLICY = (
    "default-src 'self'; base-uri 'self'; form-action 'self';"
    " frame-ancestors 'none'; object-src 'none'; img-src 'self' data: blob:"
)
STYLED_POLICY = f"{STRICT_POLICY}; style-src 'self' 'unsafe-inline'"
PAGE_POLICIES = (
    # The admin's Alpine compiles its attributes; both pages set styles on elements.
    ("/admin/", f"{STYLED_POLICY}; script-src 'self' 'unsafe-eval'"),
    ("/api/docs/", STYLED_POLICY),
)

GetResponse = Callable[[HttpRequest], HttpResponse]


class RequestLog:
    """Gives each request an id, and writes one line when it is answered.

    The line names the route and never the path: a path may hold a signed link.
    """

    def __init__(self, get_response: GetResponse) -> None:
        """Keep the next layer."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, with the request's id on the way back."""
        offered = request.headers.get("X-Request-ID", "")
        request_id = offered if REQUEST_ID.fullmatch(offered) else str(uuid7())
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        started_s = time.perf_counter()
        try:
            response = self.get_response(request)
            response["X-Request-ID"] = request_id
            match = request.resolver_match
            route = match.route if match else ""
            if (match or response.status_code >= 400) and route not in QUIET_ROUTES:
                log.info(
                    "request",
                    method=request.method,
                    route=route,
                    status=response.status_code,
                    duration_ms=round((time.perf_counter() - started_s) * 1000, 1),
                )
            return response
        finally:
            structlog.contextvars.clear_contextvars()


class ShortWay:
    """Takes programmes' requests straight to their door, past what only browsers need.

    Sessions, cookies, forms, messages and static files cost more than many of these
    doors' own work. `settings.SHORT_WAYS` are the beginnings of their paths.
    """

    def __init__(self, get_response: GetResponse) -> None:
        """Keep the next layer, for all other paths."""
        self.get_response = get_response
        self._ways = tuple(settings.SHORT_WAYS)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer by the door itself, in the language that is asked for.

        Raises:
            DisallowedHost: the request is for another host.
            Http404: there is no such door.
        """
        if not request.path_info.startswith(self._ways):
            return self.get_response(request)
        request.get_host()
        translation.activate(translation.get_language_from_request(request))
        match = request.resolver_match = resolve(request.path_info)
        response: HttpResponse = match.func(request, *match.args, **match.kwargs)
        if not getattr(response, "is_rendered", True):
            response = response.render()  # type: ignore[attr-defined]
        if not response.streaming and "Content-Length" not in response:
            response["Content-Length"] = str(len(response.content))
        return response


class ContentSecurityPolicy:
    """Tells browsers to load from here alone, and to frame nothing."""

    def __init__(self, get_response: GetResponse) -> None:
        """Keep the next layer."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, with the policy unless the view has set its own."""
        response = self.get_response(request)
        policy = next(
            (text for prefix, text in PAGE_POLICIES if request.path.startswith(prefix)),
            STRICT_POLICY,
        )
        response.setdefault("Content-Security-Policy", policy)
        response.setdefault(
            "Permissions-Policy", "camera=(), microphone=(), geolocation=(self)"
        )
        return response
