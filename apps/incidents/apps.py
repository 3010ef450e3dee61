"""The room's registration with Django."""

from django.apps import AppConfig


class IncidentsConfig(AppConfig):
    """Incidents: what needs a person now, whose it is, and until when."""

    name = "apps.incidents"
    label = "incidents"
    verbose_name = "Incidents"
