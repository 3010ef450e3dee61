"""Who drives today, with what luck, and what the office will do: from the API and a seed."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from apps.training.fleet.device import Device
from apps.training.fleet.driving import Act, Drive
from apps.training.fleet.journey import Assignment, Fact, Journey
from apps.training.fleet.office import Office
from apps.training.fleet.pacing import Pace
from apps.training.fleet.signals import BOOT, Outage, outages
from apps.training.fleet.store import Row
from apps.training.fleet.truths import Truth
from apps.training.fleet.wire import Refused
from apps.training.town.chance import draw

ENROL_BEFORE = timedelta(minutes=15)
LATE_DRIVERS = 2
LATE_S = (1_200, 2_400)
ADD_DELIVERY, CANCEL, ADD_COLLECTION = 0.2, 0.28, 0.45
"""When the office acts, as shares of the day between first start and last end."""

REBOOT = 0.45
"""When a telephone starts anew, as a share of its driver's shift."""

OFFICE = "office"
NEAR_DEGREES = 0.0006


class NothingToDrive(RuntimeError):
    """The day has no routes, or was driven already."""


@dataclass(frozen=True, slots=True)
class Luck:
    """What chance is made of: the seed, the faults or none, the truth of the road."""

    seed: int
    truth: Truth
    has_faults: bool = True


def await_plan(office: Office, say: Callable[[str], None]) -> None:
    """Wait until the day is planned and published.

    Raises:
        NothingToDrive: nobody has asked for its plan, or it failed.
    """
    plan = office.rest(say)["plan"]
    if plan is None or plan["published_at"] is None:
        status = plan["status"] if plan else "not asked for"
        raise NothingToDrive(
            f"The plan of {office.service_date} is {status}: publish one first."
        )


def assemble(
    office: Office,
    luck: Luck,
    pace: Pace,
    *,
    fleet: int,
    say: Callable[[str], None],
    watch: Callable[[], None] | None,
) -> Drive:
    """Return the day, ready to be driven: every device enrolled, all chance drawn.

    Raises:
        NothingToDrive: no shift waits, or the server's clock is another one's.
    """
    given = assignments(office, luck, fleet)
    pace.advance(given[0].starts_at - ENROL_BEFORE)
    pace.show()
    journeys = [
        journey_of(each, office=office, luck=luck, now=pace.now) for each in given
    ]
    if pace.is_shown and journeys[0].device.server_now() != pace.now():
        raise NothingToDrive(
            f"The server at {office.wire.url} does not follow this installation's demo "
            "clock: start `up` and `drive` with the same DATA_DIR."
        )
    return Drive(
        seed=luck.seed,
        office=office,
        pace=pace,
        journeys=journeys,
        acts=acts_of_day(office, journeys, luck),
        say=say,
        watch=watch,
    )


def assignments(office: Office, luck: Luck, fleet: int) -> list[Assignment]:
    """Return who drives what today, earliest first.

    Raises:
        NothingToDrive: no shift is left to be started.
    """
    drivers, vehicles = office.drivers(), office.vehicles()
    shifts = [row for row in office.shifts() if row["status"] == "planned"][:fleet]
    if not shifts:
        raise NothingToDrive(
            f"No shift of {office.service_date} waits to be driven: the day is over, or "
            "has none. Make another day, or add shifts."
        )
    names = {
        row["driver"]: drivers[row["driver"]]["username"].upper() for row in shifts
    }
    by_luck = sorted(names.values(), key=lambda name: draw(luck.seed, "late", name))
    late = set(by_luck[: min(LATE_DRIVERS, len(shifts) // 2)])
    lon, lat = office.depot["location"]["coordinates"]
    return [
        Assignment(
            driver=names[row["driver"]],
            driver_id=row["driver"],
            shift_id=row["id"],
            starts_at=datetime.fromisoformat(row["starts_at"]),
            ends_at=datetime.fromisoformat(row["ends_at"]),
            depot=(lat, lon),
            by_bike=vehicles[row["vehicle"]]["type"] == "bike",
            late_s=_late_s(luck.seed, names[row["driver"]], late),
            service_date=date.fromisoformat(row["service_date"]),
        )
        for row in shifts
    ]


def _late_s(seed: int, driver: str, late: set[str]) -> int:
    low, high = LATE_S
    return round(low + draw(seed, "by", driver) * (high - low)) if driver in late else 0


def journey_of(
    given: Assignment,
    *,
    office: Office,
    luck: Luck,
    now: Callable[[], datetime],
) -> Journey:
    """Enrol a driver's device and make the driver ready."""
    device = Device(
        driver=given.driver,
        driver_id=given.driver_id,
        service_date=given.service_date.isoformat(),
        seed=luck.seed,
        wire=office.wire,
        now=now,
        has_faults=luck.has_faults,
    )
    device.enrol(office.enrolment_code(given.driver_id))
    known = (
        outages(luck.seed, given.driver, given.starts_at, given.ends_at)
        if luck.has_faults
        else ()
    )
    return Journey(given, device, luck.truth, now, list(known))


def acts_of_day(office: Office, journeys: list[Journey], luck: Luck) -> list[Act]:
    """Return what happens to the day from outside: orders come and go, a phone dies."""
    begins_at = min(journey.given.starts_at for journey in journeys)
    length = max(journey.given.ends_at for journey in journeys) - begins_at
    unlucky = min(journeys, key=lambda j: draw(luck.seed, "reboot", j.given.driver))
    own_length = unlucky.given.ends_at - unlucky.given.starts_at

    def at(share: float) -> datetime:
        return begins_at + timedelta(seconds=round(length.total_seconds() * share))

    def now() -> datetime:
        return unlucky.now()

    def reboot() -> Fact:
        unlucky.outages.append(Outage(now(), now() + BOOT))
        unlucky.device.reboot()
        return Fact(now(), unlucky.given.driver, "device.rebooted")

    def cancel() -> Fact | None:
        return _cancel_one(office, luck.seed, now())

    def add_delivery() -> Fact | None:
        return _add_one(office, luck.seed, now(), "delivery")

    def add_collection() -> Fact | None:
        return _add_one(office, luck.seed, now(), "pickup")

    return [
        Act(at(ADD_DELIVERY), add_delivery),
        Act(at(CANCEL), cancel),
        Act(unlucky.given.starts_at + own_length * REBOOT, reboot),
        Act(at(ADD_COLLECTION), add_collection),
    ]


def _cancel_one(office: Office, seed: int, now: datetime) -> Fact | None:
    """Cancel an order whose driver is not on the way to it."""
    waiting = [
        stop
        for route in office.routes()
        for stop in route["stops"]
        if stop["status"] == "pending"
    ]
    if not waiting:
        return None
    stop = min(waiting, key=lambda s: draw(seed, "cancel", s["reference"]))
    office.cancel_order(stop["order"])
    return Fact(now, OFFICE, "order.cancelled", stop["reference"])


def _add_one(office: Office, seed: int, now: datetime, kind: str) -> Fact | None:
    """Take in an order next door to one of today's."""
    orders = office.orders()
    near = min(orders, key=lambda o: draw(seed, kind, o["reference"]), default=None)
    if near is None:
        return None
    reference = f"ADDED-{office.service_date}-{kind.upper()}"
    try:
        office.add_order(_order_near(near, reference, kind), reference)
    except Refused as no:
        if no.status != 409:
            raise
        return None  # an earlier drive of this day has added it
    return Fact(now, OFFICE, "order.created", reference)


def _order_near(near: Row, reference: str, kind: str) -> dict[str, Any]:
    lon, lat = near["location"]["coordinates"]
    return {
        "reference": reference,
        "kind": kind,
        "location": {
            "type": "Point",
            "coordinates": [round(lon + NEAR_DEGREES, 6), lat],
        },
        "address": near["address"],
        "pieces": 1,
        "load_g": 1_500,
        "load_ml": 6_000,
        "priority": 4,
        "notes": "Composed: added during a simulated day.",
    }
