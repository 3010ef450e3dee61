"""Where the room's doors are."""

from django.urls import URLPattern, URLResolver, include, path
from rest_framework.routers import SimpleRouter

from apps.overrides import api

app_name = "overrides"

router = SimpleRouter(trailing_slash=False)
router.register("overrides", api.OverrideViewSet)
router.register("decision-rights", api.DecisionRightViewSet)

urlpatterns: list[URLPattern | URLResolver] = [path("", include(router.urls))]
