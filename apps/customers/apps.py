"""The room's registration with Django."""

from django.apps import AppConfig


class CustomersConfig(AppConfig):
    """Customers: the anonymous door."""

    name = "apps.customers"
    label = "customers"
    verbose_name = "Customers"
