"""Recipients and known addresses in the office."""

from django.contrib import admin

from apps.core.office import KnownValues
from apps.orders.admin.readonly import ReadOnlyPage
from apps.orders.models import Address, Customer


@admin.register(Customer)
class CustomerPage(ReadOnlyPage):
    """Who receives."""

    list_display = ["name", "phone", "email", "depot"]
    list_filter = ["depot"]
    search_fields = ["name", "phone", "email"]


@admin.register(Address)
class AddressPage(ReadOnlyPage):
    """The gazetteer; it is filled by `manage.py import_addresses`."""

    list_display = ["street", "house_number", "postcode", "city", "depot"]
    list_filter = ["depot", ("city", KnownValues)]
    search_fields = ["street", "postcode", "city", "match_key"]
