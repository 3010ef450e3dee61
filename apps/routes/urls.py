"""Where the room's doors are."""

from datetime import date

from django.urls import URLPattern, URLResolver, include, path, register_converter
from rest_framework.routers import SimpleRouter

from apps.routes import api, modeapi

app_name = "routes"

router = SimpleRouter(trailing_slash=False)
router.register("plans", api.PlanViewSet)
router.register("routes", api.RouteViewSet)
router.register("conditions", api.ConditionViewSet)
router.register("plan-changes", api.PlanChangeViewSet)
router.register("decision-points", modeapi.DecisionPointViewSet)


class IsoDate:
    """A date in a path, as YYYY-MM-DD."""

    regex = r"\d{4}-\d{2}-\d{2}"

    def to_python(self, value: str) -> date:
        """Return the date; Django answers 404 to what is none."""
        return date.fromisoformat(value)

    def to_url(self, value: date) -> str:
        """Return the text."""
        return value.isoformat()


register_converter(IsoDate, "date")

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include(router.urls)),
    path("depots/<uuid:depot_id>/days/<date:day>", api.DayView.as_view(), name="day"),
    path(
        "depots/<uuid:depot_id>/days/<date:day>/left-out",
        api.LeftOutView.as_view(),
        name="left-out",
    ),
    path("depots/<uuid:depot_id>/mode", modeapi.ModeView.as_view(), name="mode"),
    path(
        "depots/<uuid:depot_id>/readiness",
        modeapi.ReadinessView.as_view(),
        name="readiness",
    ),
]
