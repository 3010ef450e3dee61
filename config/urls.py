"""Where every door is."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from apps.core import health

V1_ROOMS = (
    *(
        "depots",
        "orders",
        "drivers",
        "incidents",
        "routes",
        "overrides",
        "recommendations",
    ),
    "feedback",
    "tuning",
    "verdicts",
    "learning",
)

urlpatterns: list[URLPattern | URLResolver] = [
    # First what is asked most, by every device all day.
    path("api/sync/v1/", include("apps.sync.urls")),
    path("", RedirectView.as_view(pattern_name="admin:index"), name="home"),
    path("admin/", include("apps.metrics.urls")),
    path("admin/", admin.site.urls),
    path("healthz", health.live, name="healthz"),
    path("readyz", health.ready, name="readyz"),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path(
        "api/docs/",
        SpectacularSwaggerSplitView.as_view(url_name="schema"),
        name="api-docs",
    ),
    *(path("api/v1/", include(f"apps.{room}.urls")) for room in V1_ROOMS),
    path("api/v1/", include("apps.customers.officeurls")),
    path("api/v1/", include("apps.metrics.officeurls")),
    path("hooks/", include("apps.notifications.urls")),
    path("", include("apps.customers.urls")),
]
