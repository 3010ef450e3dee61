"""The room's registration with Django."""

from django.apps import AppConfig


class RoutesConfig(AppConfig):
    """Routes: plans, routes, stops, and how they are made."""

    name = "apps.routes"
    label = "routes"
    verbose_name = "Routes"
