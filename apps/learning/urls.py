"""Where the room's doors are."""

from django.urls import URLPattern, URLResolver, include, path
from rest_framework.routers import SimpleRouter

from apps.learning import api

app_name = "learning"

router = SimpleRouter(trailing_slash=False)
router.register("estimates", api.EstimateViewSet)

urlpatterns: list[URLPattern | URLResolver] = [path("", include(router.urls))]
