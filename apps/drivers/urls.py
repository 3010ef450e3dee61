"""The office's addresses, under /api/v1/."""

from django.urls import URLPattern, URLResolver, path
from rest_framework.routers import SimpleRouter

from apps.drivers import api

router = SimpleRouter(trailing_slash=False)
router.register("drivers", api.DriverViewSet, basename="driver")
router.register("vehicles", api.VehicleViewSet, basename="vehicle")
router.register("vehicle-types", api.VehicleTypeViewSet, basename="vehicle-type")
router.register("shifts", api.ShiftViewSet, basename="shift")
router.register("devices", api.DeviceViewSet, basename="device")

app_name = "drivers"
urlpatterns: list[URLPattern | URLResolver] = [
    *router.urls,
    path("auth/token", api.ApiTokenView.as_view(), name="api-token"),
]
