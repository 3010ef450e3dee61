"""The office's pages of the room."""

from apps.orders.admin.imports import ImportPage, QuarantinePage
from apps.orders.admin.orders import OrderPage
from apps.orders.admin.people import AddressPage, CustomerPage

__all__ = ["AddressPage", "CustomerPage", "ImportPage", "OrderPage", "QuarantinePage"]
