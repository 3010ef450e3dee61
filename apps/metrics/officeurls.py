"""Where the office reads the figures of days."""

from django.urls import path

from apps.metrics import api

urlpatterns = [
    path("confidence", api.ConfidenceView.as_view(), name="confidence"),
    path(
        "depots/<uuid:depot_id>/monitor",
        api.MonitorView.as_view(),
        name="depot-monitor",
    ),
]
