"""The room's registration with Django."""

from django.apps import AppConfig


class OrdersConfig(AppConfig):
    """Orders: what must be delivered, where, and when."""

    name = "apps.orders"
    label = "orders"
    verbose_name = "Orders"
