"""The room's registration with Django."""

from django.apps import AppConfig


class DriversConfig(AppConfig):
    """Drivers: who drives which vehicle in which shift, with which device."""

    name = "apps.drivers"
    label = "drivers"
    verbose_name = "Drivers"
