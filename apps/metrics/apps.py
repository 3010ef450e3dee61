"""The room's registration with Django."""

from django.apps import AppConfig


class MetricsConfig(AppConfig):
    """Metrics: what the supervisors look at, over all rooms."""

    name = "apps.metrics"
    label = "metrics"
    verbose_name = "Metrics"
