"""Slots in the office: a depot's rules, and what is held."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from apps.core import clock
from apps.core.actors import user_actor
from apps.core.office import FactPage, OfficePage, column
from apps.core.wording import local_time, money
from apps.depots.scoping import DepotScopedAdmin
from apps.promises.models import Hold, SlotRules
from apps.promises.services import keep_rules


@admin.register(SlotRules)
class SlotRulesPage(OfficePage, DepotScopedAdmin):
    """How a depot cuts its days into slots; each change is in the journal."""

    list_display = [
        *("depot", "opens", "closes", "slot_minutes", "days_ahead"),
        *("lead_minutes", "cutoff_minutes", "hold_minutes"),
    ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Rules stay with their depot."""
        return ["depot"] if obj else []

    def save_model(
        self, request: HttpRequest, obj: SlotRules, form: Any, change: bool
    ) -> None:
        """Keep them by their verb."""
        keep_rules(rules=obj, by=user_actor(request.user), now=clock.now())


@admin.register(Hold)
class HoldPage(FactPage, DepotScopedAdmin):
    """Slots that customers keep, or have taken, and what they add to the day."""

    list_display = ["order", "slot", "status", "price", "way", "co2", "held_at"]
    list_filter = ["status", "depot", "service_date"]
    search_fields = ["order__reference"]
    list_select_related = ["order", "depot"]

    @column("Slot", ordering="opens_at")
    def slot(self, row: Hold) -> str:
        """Return the interval by the depot's clock."""
        zone = row.depot.time_zone
        return f"{local_time(row.opens_at, zone)}–{local_time(row.closes_at, zone, '%H:%M')}"

    @column("Adds", ordering="cost_minor")
    def price(self, row: Hold) -> str:
        """Return what it adds to the day's cost."""
        return money(row.cost_minor, row.depot.currency)

    @column("Way", ordering="added_m")
    def way(self, row: Hold) -> str:
        """Return the travel that it adds."""
        return f"{row.added_m / 1000:.1f} km, {row.added_s / 60:.0f} min"

    @column("CO2", ordering="co2_g")
    def co2(self, row: Hold) -> str:
        """Return the CO2 that it adds."""
        return f"{row.co2_g} g"
