"""A demo's depot and days, from a composed town, through the house's own verbs."""

import csv
import io
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from apps.core.actors import Actor
from apps.core.problems import Conflict
from apps.core.units import Point
from apps.depots.models import Depot
from apps.depots.services import create_depot, draw_zone
from apps.drivers import services as drivers
from apps.drivers.models import Driver, Shift, Vehicle, VehicleType
from apps.orders.drafts import ImportOptions
from apps.orders.models import ImportRun
from apps.orders.services import import_addresses, import_orders, receive_file
from apps.routes.models import Plan
from apps.routes.services.plans import request_plan
from apps.training.town.compose import compose_day
from apps.training.town.day import ShiftDraft, TownDay
from apps.training.town.files import write_orders_csv
from apps.training.town.generate import make_town
from apps.training.town.model import Town
from apps.training.town.truth import Mode

CURRENCY = "USD"
OVERTIME_S = 1_800
BIKE_COST_PER_KM_MINOR = 5

Say = Callable[[str], None]


class DepotIsReal(Conflict):
    """The code of the town's depot belongs to a depot that is no demo's."""

    type = "/problems/depot-is-real"
    title = "A depot that is not a demo's has this code: a demo never touches it."


DAYS_AHEAD = 2
"""The crew works on these days too, so that customers have times to choose from."""


@dataclass(frozen=True, slots=True)
class DemoMade:
    """What was made, and the plan that was asked for (None: it was there before)."""

    depot: Depot
    town: Town
    day: TownDay
    run: ImportRun
    plan: Plan | None


def create_demo_day(
    *,
    town_seed: int,
    service_date: date,
    orders: int,
    fleet: int,
    seed: int,
    by: Actor,
    now: datetime,
    say: Say = lambda line: None,
) -> DemoMade:
    """Compose a town's day and put it in as a shop and an office would.

    The depot, its drivers and vehicles are made the first time; a further day takes
    them as they are. Nothing is made twice, so that a call that broke off is repeated.

    Raises:
        DepotIsReal: the depot's code belongs to somebody.
    """
    town = make_town(town_seed)
    day = compose_day(town, service_date, orders=orders, drivers=fleet, seed=seed)
    say(f"{town.name}: {len(town.addresses):,} addresses. {town.label}")
    depot = _depot(town, by, now)
    crew = _crew(depot, day, by, now)
    vans = _vehicles(depot, day, by, now)
    for ahead in range(DAYS_AHEAD + 1):
        for draft in day.shifts:
            _plan_shift(
                crew[draft.driver], vans[draft.vehicle], day.date, draft, ahead, by, now
            )
    say(
        f"{len(day.shifts)} shifts on {day.date}, and on the {DAYS_AHEAD} days after it:"
        " customers may move there."
    )
    run = _import(depot, day, by, now)
    say(f"{run.created} orders imported, {run.quarantined} quarantined")
    return DemoMade(depot, town, day, run, _ask_for_plan(depot, day.date, by, now))


def _depot(town: Town, by: Actor, now: datetime) -> Depot:
    site = town.depot
    depot = Depot.objects.filter(code__iexact=site.code).first()
    if depot is not None:
        if not depot.is_demo:
            raise DepotIsReal
        return depot
    depot = create_depot(
        code=site.code,
        name=f"{site.name} ({town.name}, composed)",
        time_zone=town.time_zone,
        country=town.country,
        currency=CURRENCY,
        point=Point(site.lat, site.lon),
        is_demo=True,
        by=by,
        now=now,
    )
    for zone in town.zones:
        draw_zone(
            depot_id=depot.pk,
            code=zone.code,
            name=zone.name,
            boundary=zone.geometry(),
            by=by,
            now=now,
        )
    import_addresses(depot_id=depot.pk, content=address_file(town), by=by, now=now)
    return depot


def address_file(town: Town) -> bytes:
    """Return the town's gazetteer as the CSV that an address import reads."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(["street", "house number", "postcode", "city", "lat", "lon"])
    for address in town.addresses:
        writer.writerow(
            [
                address.street,
                address.house_number,
                address.postcode,
                town.name,
                address.lat,
                address.lon,
            ]
        )
    return text.getvalue().encode()


def _crew(depot: Depot, day: TownDay, by: Actor, now: datetime) -> dict[str, Driver]:
    there = {
        driver.user.username: driver
        for driver in Driver.objects.filter(depot=depot).select_related("user")
    }
    return {
        draft.reference: there.get(draft.reference.lower())
        or drivers.hire_driver(
            depot=depot,
            username=draft.reference.lower(),
            password=None,
            fields={
                "name": draft.name,
                "phone": draft.phone,
                "skills": list(draft.skills),
            },
            by=by,
            now=now,
        )
        for draft in day.drivers
    }


def _vehicles(
    depot: Depot, day: TownDay, by: Actor, now: datetime
) -> dict[str, Vehicle]:
    vans = {van.name: van for van in Vehicle.objects.filter(depot=depot)}
    types = VehicleType.objects.in_bulk()
    for draft in day.vehicles:
        if draft.registration in vans:
            continue
        is_bike = draft.mode is Mode.CARGO_BIKE
        fields = {
            "name": draft.registration,
            "type": types["cargo-bike" if is_bike else "van"],
            "capacity_g": draft.capacity_g,
            "capacity_ml": draft.capacity_ml,
            "capacity_pieces": draft.capacity_pieces,
            "capabilities": list(draft.capabilities),
        }
        if is_bike:
            fields["cost_per_km_minor"] = BIKE_COST_PER_KM_MINOR
        van = drivers.add_vehicle(depot=depot, fields=fields, by=by, now=now)
        vans[draft.registration] = van
    return vans


def _plan_shift(  # noqa: PLR0917
    driver: Driver,
    vehicle: Vehicle,
    first: date,
    draft: ShiftDraft,
    ahead: int,
    by: Actor,
    now: datetime,
) -> None:
    later = timedelta(days=ahead)
    on_date = first + later
    if Shift.objects.filter(driver=driver, service_date=on_date).exists():
        return
    length = timedelta(seconds=draft.break_s)
    rest = drivers.BreakTime(
        opens_at=draft.break_window.start + later,
        closes_at=min(draft.break_window.end, draft.ends_at) - length + later,
        duration_s=draft.break_s,
    )
    # A shift that ends before the canteen opens has no break.
    rests = (rest,) if rest.opens_at <= rest.closes_at else ()
    drivers.plan_shift(
        driver=driver,
        vehicle=vehicle,
        service_date=on_date,
        times=drivers.ShiftTimes(
            draft.starts_at + later, draft.ends_at + later, OVERTIME_S, rests
        ),
        by=by,
        now=now,
    )


def _import(depot: Depot, day: TownDay, by: Actor, now: datetime) -> ImportRun:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "orders.csv"
        write_orders_csv(day, path)
        content = path.read_bytes()
    run = receive_file(
        depot_id=depot.pk,
        content=content,
        file_name=f"composed-{day.date}.csv",
        service_date=day.date,
        options=ImportOptions(),
        start=False,
        by=by,
        now=now,
    )
    return import_orders(run_id=run.pk, by=by, now=now)


def _ask_for_plan(
    depot: Depot, service_date: date, by: Actor, now: datetime
) -> Plan | None:
    if Plan.objects.filter(depot=depot, service_date=service_date).exists():
        return None
    return request_plan(
        depot_id=depot.pk,
        service_date=service_date,
        publish_when_ready=True,
        by=by,
        now=now,
    )
