"""Where the office reads figures of customers."""

from django.urls import path

from apps.customers import api

urlpatterns = [
    path(
        "depots/<uuid:depot_id>/days/<date:day>/customers",
        api.CustomersDayView.as_view(),
        name="customers-day",
    ),
]
