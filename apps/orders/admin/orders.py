"""Orders in the office: found, read, cancelled, rescheduled."""

import uuid
from collections.abc import Callable, Iterable
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import URLPattern, path, reverse
from unfold.admin import TabularInline
from unfold.contrib.filters.admin import RangeDateFilter

from apps.core import clock
from apps.core.actors import user_actor
from apps.core.office import column
from apps.core.problems import Problem
from apps.orders.admin.readonly import ReadOnlyPage, row_action
from apps.orders.drafts import OrderChanges, Window
from apps.orders.forms import CancelForm, PreferForm, RescheduleForm
from apps.orders.imports import times
from apps.orders.models import Order, PreferredWindow, TimeWindow
from apps.orders.selectors import WINDOWS
from apps.orders.services import cancel_order, change_order, reschedule_order
from apps.orders.services.files import site_of
from apps.orders.states import OrderState

STATUS_COLOURS = {
    "Open": "info",
    "Delivered": "success",
    "Partly delivered": "warning",
    "Attempt failed": "danger",
    "Cancelled": "",
}


RESCHEDULE = ("Reschedule", "is rescheduled.", "Reschedule")
PREFER = ("Preferred times of", "is planned by what its customer prefers.", "Save")
"""Of a page that asks for windows: its title, what is said when done, its button."""


class WindowsInline(TabularInline):  # type: ignore[misc]
    """The order's time windows."""

    model = TimeWindow
    fields = readonly_fields = ["opens_at", "closes_at"]
    extra = 0
    can_delete = False
    tab = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: windows change with the order's verbs."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse: windows change with the order's verbs."""
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Show them with the order."""
        return True


@admin.register(Order)
class OrderPage(ReadOnlyPage):
    """Orders with search and filters; changed by verbs alone."""

    list_display = [
        *("reference", "state", "day", "depot", "zone", "recipient"),
        *("place", "when", "pieces", "priority"),
    ]
    list_filter = [
        "depot",
        ("service_date", RangeDateFilter),
        "status",
        "zone",
        "location_source",
    ]
    list_filter_submit = True
    search_fields = [
        *("reference", "customer__name", "customer__phone", "street", "postcode"),
    ]
    search_help_text = "Reference, recipient, phone, street or postcode"
    list_select_related = ["depot", "zone", "customer"]
    inlines = [WindowsInline]
    actions = ["cancel_selected"]
    actions_detail = ["cancel_one", "reschedule_one", "prefer_one"]
    fieldsets = [
        (
            None,
            {
                "fields": [
                    ("reference", "state", "kind"),
                    ("depot", "day"),
                    ("when", "best"),
                ]
            },
        ),
        ("Recipient", {"fields": [("customer", "telephone")]}),
        (
            "Place",
            {
                "fields": [
                    ("place", "zone"),
                    ("latitude", "longitude"),
                    ("location_source", "location_confidence"),
                ]
            },
        ),
        (
            "Load and service",
            {
                "fields": [
                    ("pieces", "weight", "volume"),
                    ("priority", "service"),
                    ("needs", "proofs"),
                    "notes",
                ]
            },
        ),
        (
            "Where it comes from",
            {
                "fields": [
                    ("source_run", "source_line"),
                    ("received_at", "changed_at", "version"),
                ]
            },
        ),
    ]
    readonly_fields = [
        *("state", "day", "when", "best", "telephone", "place", "weight", "volume"),
        *("service", "needs", "proofs"),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        """Return the orders of the user's depots with their windows."""
        return super().get_queryset(request).prefetch_related(*WINDOWS)

    @column("Status", ordering="status", label=STATUS_COLOURS)
    def state(self, order: Order) -> str:
        """Return the status in colour."""
        return str(order.get_status_display())

    @column("Recipient", ordering="customer__name")
    def recipient(self, order: Order) -> str:
        """Return who receives."""
        return order.customer.name if order.customer else "—"

    @column("Phone")
    def telephone(self, order: Order) -> str:
        """Return the recipient's number."""
        return order.customer.phone or "—" if order.customer else "—"

    @column("Address", ordering="street")
    def place(self, order: Order) -> str:
        """Return the address line, else the coordinates."""
        road = f"{order.street} {order.house_number}".strip()
        town = f"{order.postcode} {order.city}".strip()
        line = ", ".join(part for part in (road, town) if part)
        return line or f"{order.latitude:.5f}, {order.longitude:.5f}"

    @column("Windows")
    def when(self, order: Order) -> str:
        """Return the windows in the depot's time."""
        return _spans(order, order.windows.all()) or "any time"

    @column("Preferred times")
    def best(self, order: Order) -> str:
        """Return when the customer likes it best, in the depot's time."""
        return _spans(order, order.preferences.all()) or "none"

    @column("Service date", ordering="service_date")
    def day(self, order: Order) -> str:
        """Return the day, the same in every language."""
        return order.service_date.isoformat()

    @column("Weight")
    def weight(self, order: Order) -> str:
        """Return the weight in kilograms."""
        return f"{order.load_g / 1000:g} kg" if order.load_g else "—"

    @column("Volume")
    def volume(self, order: Order) -> str:
        """Return the volume in litres."""
        return f"{order.load_ml / 1000:g} l" if order.load_ml else "—"

    @column("Service time")
    def service(self, order: Order) -> str:
        """Return the service time in minutes."""
        if order.service_s is None:
            return "the depot's standard"
        return f"{order.service_s / 60:g} min"

    @column("Needs")
    def needs(self, order: Order) -> str:
        """Return what vehicle or driver must have."""
        return ", ".join(order.requires) or "—"

    @column("Proof of delivery")
    def proofs(self, order: Order) -> str:
        """Return which proofs are asked for."""
        return ", ".join(order.proof) or "—"

    def get_urls(self) -> list[URLPattern]:
        """Add the page that asks before orders are cancelled."""
        view = self.admin_site.admin_view(self.confirm_cancel)
        own = [path("cancel/", view, name="orders_order_cancel")]
        return [*own, *super().get_urls()]

    @admin.action(description="Cancel selected orders", permissions=["cancel"])
    def cancel_selected(
        self, request: HttpRequest, chosen: QuerySet[Order]
    ) -> HttpResponse:
        """Ask, then cancel."""
        return self._ask(request, chosen, CancelForm())

    @row_action("Cancel order", permission="cancel", icon="block")
    def cancel_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask, then cancel."""
        chosen = self.get_queryset(request).filter(pk=object_id)
        return self._ask(request, chosen, CancelForm())

    def has_cancel_permission(
        self, request: HttpRequest, object_id: Any = None
    ) -> bool:
        """Let those cancel and reschedule who may change orders."""
        return self.may_change(request)

    def _ask(
        self, request: HttpRequest, chosen: Iterable[Order], form: CancelForm
    ) -> HttpResponse:
        orders = list(chosen)
        if not orders:
            raise Http404
        ready = [o for o in orders if o.status in (OrderState.OPEN, OrderState.FAILED)]
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Cancel orders",
            "orders": ready,
            "passed_over": len(orders) - len(ready),
            "form": form,
        }
        return render(request, "orders/cancel.html", context)

    def confirm_cancel(self, request: HttpRequest) -> HttpResponse:
        """Cancel the orders that were asked about."""
        if not self.may_change(request):
            raise PermissionDenied
        chosen = self.get_queryset(request).filter(
            pk__in=_uuids(request.POST.getlist("order"))
        )
        form = CancelForm(request.POST or None)
        if not form.is_valid():
            return self._ask(request, chosen, form)
        done = 0
        for order in chosen:
            try:
                cancel_order(
                    order_id=order.pk,
                    reason=form.cleaned_data["reason"],
                    by=user_actor(request.user),
                    now=clock.now(),
                )
                done += 1
            except Problem as problem:
                messages.error(request, f"{order.reference}: {problem.detail}")
        if done:
            messages.success(request, f"{done} orders cancelled.")
        return HttpResponseRedirect(reverse("admin:orders_order_changelist"))

    @row_action("Reschedule", permission="cancel", icon="event")
    def reschedule_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask for the day, then reschedule."""
        order = get_object_or_404(self.get_queryset(request), pk=object_id)
        form = RescheduleForm(
            request.POST or None, initial={"service_date": order.service_date}
        )

        def verb(context: dict[str, Any]) -> None:
            day = form.cleaned_data["service_date"]
            windows = _windows(order, day, form.cleaned_data["window"])
            reschedule_order(
                order_id=order.pk, service_date=day, windows=windows, **context
            )

        return self._ask_windows(request, order, form, verb, RESCHEDULE)

    @row_action("Preferred times", permission="cancel", icon="favorite")
    def prefer_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask when the customer likes it best, then plan by it."""
        order = get_object_or_404(self.get_queryset(request), pk=object_id)
        held = _spans(order, order.preferences.all()).replace(",", ";")
        form = PreferForm(request.POST or None, initial={"window": held})

        def verb(context: dict[str, Any]) -> None:
            text = form.cleaned_data["window"]
            wished = tuple(_windows(order, order.service_date, text))
            change_order(
                order_id=order.pk,
                expected_version=None,
                changes=OrderChanges.of(preferred_windows=wished),
                **context,
            )

        return self._ask_windows(request, order, form, verb, PREFER)

    def _ask_windows(
        self,
        request: HttpRequest,
        order: Order,
        form: forms.Form,
        verb: Callable[[dict[str, Any]], None],
        words: tuple[str, str, str],
    ) -> HttpResponse:
        """Show a form until its verb takes it; `words`: title, done, button."""
        title, done, button = words
        if request.method == "POST" and form.is_valid():
            try:
                verb({"by": user_actor(request.user), "now": clock.now()})
            except Problem as problem:
                form.add_error(None, problem.detail)
            except ValueError:
                form.add_error(None, "Write times as 08:00-10:00; 14:00-16:00.")
            else:
                messages.success(request, f"{order.reference} {done}")
                there = reverse("admin:orders_order_change", args=[order.pk])
                return HttpResponseRedirect(there)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": f"{title} {order.reference}",
            "order": order,
            "form": form,
            "button": button,
        }
        return render(request, "orders/windows.html", context)


def _windows(order: Order, day: date, text: str) -> list[Window]:
    """Return the windows that somebody wrote, on a day.

    Raises:
        ValueError: some of it is no range of time.
    """
    local = site_of(order.depot, day).local
    said = times.moments(text, local) if text else []
    return [times.window_of(a, b, day, local) for a, b in said]


def _spans(order: Order, windows: Iterable[TimeWindow | PreferredWindow]) -> str:
    zone = ZoneInfo(order.depot.time_zone)
    return ", ".join(
        f"{w.opens_at.astimezone(zone):%H:%M}–{w.closes_at.astimezone(zone):%H:%M}"
        for w in windows
    )


def _uuids(texts: Iterable[str]) -> list[uuid.UUID]:
    try:
        return [uuid.UUID(text) for text in texts]
    except ValueError:
        raise Http404 from None
