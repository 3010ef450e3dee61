"""The room's registration with Django."""

from django.apps import AppConfig


class DepotsConfig(AppConfig):
    """Depots: places from which vans leave, and the border of what people see."""

    name = "apps.depots"
    label = "depots"
    verbose_name = "Depots"
