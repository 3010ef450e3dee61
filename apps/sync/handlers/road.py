"""What drivers meet: on the road, and trouble that the office deals with."""

from datetime import timedelta
from typing import Final

from apps.core.units import Point
from apps.core.verdicts import APPLIED, REJECTED, SUPERSEDED, Verdict
from apps.journal.services import Writer
from apps.routes.places import Circle
from apps.routes.roaddrafts import USUAL_RADIUS_M
from apps.routes.services.conditions import report_from_road
from apps.routes.states import DONE
from apps.sync import troubles
from apps.sync.handlers.report import Report, stop_of
from apps.sync.kinds import RoadException
from apps.sync.models import DeviceEvent

ROAD_REASONS: Final = frozenset({"closure", "roadworks", "traffic", "weather"})
"""Exceptions that are conditions of the road."""

SAME_TROUBLE: Final = timedelta(hours=1)
"""The same trouble of the same driver within this is known already."""


def report_exception(report: Report, journal: Writer) -> Verdict:
    """Take in what the driver meets: on the road, or trouble that the office deals with."""
    payload = report.payload
    if not isinstance(payload, RoadException):
        raise TypeError(payload)
    if payload.reason in ROAD_REASONS:
        return report_road(report, payload)
    return report_trouble(report, payload, journal)


def report_trouble(report: Report, payload: RoadException, journal: Writer) -> Verdict:
    """Let the journal say that a driver is in trouble: the office's incident follows."""
    event = report.event
    stop = stop_of(event) if event.stop_id else None
    verdict = troubles.judge(
        payload.reason,
        names_stop=bool(event.stop_id),
        was_theirs=stop is not None,
        stop_state=str(stop.status) if stop and stop.status in DONE else "",
        is_known=_is_known(event, payload.reason),
    )
    if verdict.code == f"{payload.reason}_reported":
        journal.record(
            event.kind,
            event,
            depot_id=event.device.depot_id,
            driver_id=str(event.driver_id),
            stop_id=event.stop_id,
            reason=payload.reason,
            can_drive=payload.can_drive,
            minutes_left=payload.minutes_left,
            needs_help=payload.needs_help,
            **_pin_of(payload),
        )
    return verdict


def _pin_of(payload: RoadException) -> dict[str, float]:
    """Return where the driver says that an address is; of other troubles nothing is told."""
    if payload.reason != "wrong_address" or payload.lat is None or payload.lon is None:
        return {}
    return {"lat": payload.lat, "lon": payload.lon}


def _is_known(event: DeviceEvent, reason: str) -> bool:
    """Tell whether the driver has reported the same a short while before."""
    before = DeviceEvent.objects.filter(
        driver_id=event.driver_id,
        kind=event.kind,
        stop_id=event.stop_id,
        payload__reason=reason,
        code=f"{reason}_reported",
        occurred_at__gt=event.occurred_at - SAME_TROUBLE,
        occurred_at__lte=event.occurred_at,
    )
    return before.exclude(pk=event.pk).exists()


def report_road(report: Report, payload: RoadException) -> Verdict:
    """Take in what the driver meets on the road: at the place told, or at the stop."""
    event = report.event
    point = _where(payload, event)
    if point is None:
        detail = "Say where: switch the position on, or choose a stop."
        return Verdict(REJECTED, "invalid", detail)
    _, counts = report_from_road(
        depot_id=event.device.depot_id,
        kind=payload.reason,
        place=Circle(point, payload.radius_m or USUAL_RADIUS_M),
        occurred_at=event.occurred_at,
        note=payload.note,
        by=report.by,
        now=report.now,
    )
    if not counts:
        return Verdict(SUPERSEDED, "came_late", "Its time is over.")
    return Verdict(APPLIED, "road_reported")


def _where(payload: RoadException, event: DeviceEvent) -> Point | None:
    if payload.lat is not None and payload.lon is not None:
        return Point(payload.lat, payload.lon)
    stop = stop_of(event)
    return stop.order.point if stop else None
