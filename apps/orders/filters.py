"""What lists of orders can be narrowed by."""

import django_filters  # type: ignore[import-untyped]
from django.db.models import Q, QuerySet

from apps.orders.models import ImportRun, Order
from apps.orders.states import ImportState, OrderState


class OrderFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Orders by depot, day, state, zone, reference, or a word of them."""

    depot = django_filters.CharFilter("depot__code", "iexact", label="Depot's code")
    zone = django_filters.CharFilter("zone__code", "iexact", label="Zone's code")
    status = django_filters.MultipleChoiceFilter(choices=OrderState.choices)
    service_date = django_filters.DateFilter()
    service_date_from = django_filters.DateFilter("service_date", "gte")
    service_date_to = django_filters.DateFilter("service_date", "lte")
    reference = django_filters.CharFilter(lookup_expr="exact")
    search = django_filters.CharFilter(
        method="find", label="In reference, name, phone, street or postcode"
    )

    class Meta:
        """Nothing but what is declared."""

        model = Order
        fields: list[str] = []

    def find(self, rows: QuerySet[Order], _name: str, text: str) -> QuerySet[Order]:
        """Return the orders that have the text somewhere."""
        return rows.filter(
            Q(reference__icontains=text)
            | Q(customer__name__icontains=text)
            | Q(customer__phone__icontains=text)
            | Q(street__icontains=text)
            | Q(postcode__istartswith=text)
        )


class ImportFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Imports by depot, day and state."""

    depot = django_filters.CharFilter("depot__code", "iexact", label="Depot's code")
    state = django_filters.MultipleChoiceFilter(choices=ImportState.choices)
    service_date = django_filters.DateFilter()

    class Meta:
        """Nothing but what is declared."""

        model = ImportRun
        fields: list[str] = []
