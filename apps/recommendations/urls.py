"""Where the room's doors are."""

from django.urls import URLPattern, URLResolver, include, path
from rest_framework.routers import SimpleRouter

from apps.recommendations import api

app_name = "recommendations"

router = SimpleRouter(trailing_slash=False)
router.register("recommendations", api.RecommendationViewSet)

urlpatterns: list[URLPattern | URLResolver] = [path("", include(router.urls))]
