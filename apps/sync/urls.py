"""The device's addresses, under /api/sync/v1/."""

from django.urls import URLPattern, URLResolver, path

from apps.sync import api, asking, views

app_name = "sync"
urlpatterns: list[URLPattern | URLResolver] = [
    path("enrol", api.EnrolView.as_view(), name="enrol"),
    path("session", api.SessionView.as_view(), name="session"),
    path("pull", api.PullView.as_view(), name="pull"),
    path("push", api.PushView.as_view(), name="push"),
    path("positions", api.PositionsView.as_view(), name="positions"),
    path("overrides", asking.OverridesView.as_view(), name="overrides"),
    path("overrides/impact", asking.ImpactView.as_view(), name="impact"),
    path("uploads", views.UploadsView.as_view(), name="uploads"),
    path("uploads/<uuid:upload_id>", views.UploadView.as_view(), name="upload"),
    path("time", api.TimeView.as_view(), name="time"),
    path("schema", api.SchemaView.as_view(), name="schema"),
]
