"""Where the room's doors are."""

from django.urls import URLPattern, URLResolver
from rest_framework.routers import SimpleRouter

from apps.depots.api import DepotViewSet, ZoneViewSet

app_name = "depots"
router = SimpleRouter(trailing_slash=False)
router.register("depots", DepotViewSet, basename="depot")
router.register("zones", ZoneViewSet, basename="zone")
urlpatterns: list[URLPattern | URLResolver] = router.urls
