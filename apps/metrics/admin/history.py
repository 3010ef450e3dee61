"""The history of any object of the office: what the journal knows of it, in words."""

from typing import Any

from django.apps import apps
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from apps.core.office import OfficePaginator
from apps.metrics.trail import entries_of, facts_of, origin_of

A_PAGE = 50


def object_history(
    request: HttpRequest, app_label: str, model_name: str, object_id: str
) -> HttpResponse:
    """Show the entries about one object; it stands for Django's own page everywhere.

    Raises:
        Http404: there is no such page or row, or it is another depot's.
        PermissionDenied: the user may not see such rows.
    """
    page = _page_of(app_label, model_name)
    if not page.has_view_permission(request):
        raise PermissionDenied
    row = page.get_object(request, unquote(object_id))
    if row is None:
        raise Http404
    if not page.has_view_permission(request, row):
        raise PermissionDenied
    paginator = OfficePaginator(entries_of(row, request.user), A_PAGE)
    shown = paginator.get_page(request.GET.get("p"))
    facts = facts_of(row, shown)
    origin = None if shown.has_next() else origin_of(row)
    context: dict[str, Any] = {
        **page.admin_site.each_context(request),
        "opts": row._meta,
        "original": row,
        "title": f"History: {row}",
        "facts": [*facts, origin] if origin else facts,
        "page": shown,
        "pages": paginator.get_elided_page_range(shown.number),
    }
    return TemplateResponse(request, "metrics/history.html", context)


history_view = admin.site.admin_view(object_history)


def _page_of(app_label: str, model_name: str) -> Any:
    try:
        model = apps.get_model(app_label, model_name)
    except LookupError:
        raise Http404 from None
    page = admin.site._registry.get(model)
    if page is None:
        raise Http404
    return page
