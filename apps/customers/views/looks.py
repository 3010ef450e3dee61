"""What pages link to beside their words: a depot's colours and logo."""

import uuid

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from apps.customers.models import CustomerPage
from apps.customers.selectors import Door
from apps.customers.views.door import colour_rule

KEPT = "public, max-age=300"


@require_safe
def colours(request: HttpRequest, depot_id: uuid.UUID) -> HttpResponse:
    """Return a depot's colours as a stylesheet: no page has a style of its own."""
    row = CustomerPage.objects.filter(depot=depot_id).first()
    door = Door("", row.colour) if row else Door("")
    response = HttpResponse(colour_rule(door), content_type="text/css; charset=utf-8")
    response["Cache-Control"] = KEPT
    return response


@require_safe
def logo(request: HttpRequest, depot_id: uuid.UUID) -> HttpResponse:
    """Return a depot's logo: a PNG that we made."""
    row = CustomerPage.objects.filter(depot=depot_id).first()
    if row is None or not row.logo:
        raise Http404
    response = HttpResponse(bytes(row.logo), content_type="image/png")
    response["Cache-Control"] = KEPT
    return response
