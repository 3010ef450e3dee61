"""Reads out of the tables what ETA intervals have learned; never writes."""

import uuid
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

from apps.depots.models import Depot
from apps.routes.calibrationrows import EtaCalibration, EtaLearning
from apps.routes.conformal import RULES, Calibration, Margins, Today, next_day
from apps.routes.tellings import Telling


def calibration_in_force(depot: Depot, now: datetime) -> Calibration:
    """Return a depot's newest margins, and what its newest arrivals say today."""
    row = EtaCalibration.objects.filter(depot=depot).order_by("-version").first()
    learning = EtaLearning.objects.filter(depot=depot).first()
    return Calibration(
        version=row.version if row else 0,
        margins=_margins(row),
        today=today_of(learning, depot, now) if learning else (),
        rules=RULES,
    )


def _margins(row: EtaCalibration | None) -> dict[str, Margins]:
    return {name: Margins(*ends) for name, ends in row.margins.items()} if row else {}


def margins_before(depot_id: uuid.UUID, at: datetime) -> Calibration:
    """Return the margins that a depot knew at an instant, without any day's word."""
    known = EtaCalibration.objects.filter(depot_id=depot_id, made_at__lte=at)
    row = known.order_by("-version").first()
    version = row.version if row else 0
    return Calibration(version=version, margins=_margins(row), rules=RULES)


def today_of(row: EtaLearning, depot: Depot, now: datetime) -> tuple[Today, ...]:
    """Return what the newest arrivals say; those of an earlier day are slow to count."""
    known = tuple(msgspec.convert(each, Today) for each in row.today)
    if row.day != now.astimezone(ZoneInfo(depot.time_zone)).date():
        return tuple(next_day(each) for each in known)
    return known


def tellings_in(told: dict[str, object]) -> list[Telling]:
    """Return what a stop was told, the nearest horizon first."""
    known = msgspec.convert(told, dict[str, Telling])
    return [known[band] for band in sorted(known)]
