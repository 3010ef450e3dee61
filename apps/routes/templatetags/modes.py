"""The banner over every page of the office: depots that are not planned as usual."""

from typing import Any

from django import template

from apps.depots.models import Depot
from apps.routes.planners import modes_of

register = template.Library()


@register.inclusion_tag("routes/mode_banners.html", takes_context=True)
def mode_banners(context: dict[str, Any]) -> dict[str, Any]:
    """Return the depots of the user that the rules plan alone."""
    request = context.get("request")
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated or not user.is_staff:
        return {"shown": []}
    depots = Depot.objects.visible_to(user)
    shown = [(depot, mode) for depot, mode in modes_of(depots) if mode.is_rules]
    return {"shown": shown, "may_see": user.has_perm("routes.view_depotmode")}
