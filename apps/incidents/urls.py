"""Where the room's doors are."""

from django.urls import URLPattern, URLResolver, include, path
from rest_framework.routers import SimpleRouter

from apps.incidents import api

app_name = "incidents"

router = SimpleRouter(trailing_slash=False)
router.register("incidents", api.IncidentViewSet)
router.register("action-items", api.ItemViewSet)
router.register("playbooks", api.PlaybookViewSet)

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include(router.urls)),
    path(
        "depots/<uuid:depot_id>/reschedules",
        api.ReschedulesView.as_view(),
        name="reschedules",
    ),
]
