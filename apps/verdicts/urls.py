"""Where the room's doors are."""

from django.urls import URLPattern, URLResolver, include, path
from rest_framework.routers import SimpleRouter

from apps.verdicts import api

app_name = "verdicts"

router = SimpleRouter(trailing_slash=False)
router.register("verdicts", api.VerdictViewSet)
router.register("rights-proposals", api.RightsProposalViewSet)

urlpatterns: list[URLPattern | URLResolver] = [path("", include(router.urls))]
