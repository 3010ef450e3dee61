"""Where the room's doors are."""

from django.urls import URLPattern, URLResolver, include, path
from rest_framework.routers import SimpleRouter

from apps.tuning import api

app_name = "tuning"

router = SimpleRouter(trailing_slash=False)
router.register("proposals", api.ProposalViewSet)

urlpatterns: list[URLPattern | URLResolver] = [path("", include(router.urls))]
