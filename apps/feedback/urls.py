"""Where the room's doors are."""

from django.urls import URLPattern, URLResolver, include, path
from rest_framework.routers import SimpleRouter

from apps.feedback import api

app_name = "feedback"

router = SimpleRouter(trailing_slash=False)
router.register("feedback", api.FeedbackViewSet)
router.register("surveys", api.SurveyViewSet)

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include(router.urls)),
    path("survey-hooks/<uuid:hook_id>", api.SurveyHookView.as_view(), name="hook"),
]
