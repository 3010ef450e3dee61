"""What a device sees: one renderer a wire table, in bulk, its driver's rows alone.

A renderer is given the driver and ids (text, as the feed keeps them) and returns the
rows by id. An id that is missing in its answer is not the driver's (any more).
"""

import json
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from django.db.models import Prefetch
from django.utils.translation import get_language, gettext

from apps.core.statements import Statement, as_is, read_instant
from apps.core.verdicts import REJECTED, Verdict
from apps.drivers.models import Driver
from apps.feedback.models import Feedback, SurveyAsk
from apps.feedback.questions import in_language, in_words, read_questions
from apps.feedback.words import answer_in_words, reasons_in_words, state_in_words
from apps.orders.models import Order, TimeWindow
from apps.orders.states import OrderState
from apps.overrides.models import Override
from apps.overrides.words import impact_for_device, told_override
from apps.recommendations.models import Recommendation
from apps.recommendations.words import DRIVER, how_to_object, said
from apps.routes.changes import impact_from_wire
from apps.routes.models import PlanChange, Route, Stop
from apps.routes.planners import mode_in
from apps.routes.states import UNDER_WAY, RouteState
from apps.sync.holds import Lock, locks_of, pins_of
from apps.sync.models import Attachment, DeviceEvent
from apps.sync.words import explained, told, told_of_file
from apps.verdicts.selectors import heard_by
from apps.verdicts.words import data_used, to_the_driver

Row = dict[str, Any]
Renderer = Callable[[uuid.UUID, Collection[str]], dict[str, Row]]


RESULTS: Final = Statement(
    """
    SELECT id, kind, stop_id, received_at, occurred_at, ours_at, corrects,
           result, code, detail, ours, yours, rule
      FROM sync_deviceevent WHERE id IN %s AND driver_id = %s
    """,
    *(as_is, as_is, as_is, read_instant, read_instant, read_instant, as_is),
    *(as_is, as_is, as_is, as_is, as_is, as_is),
)


def routes(driver_id: uuid.UUID, ids: Collection[str]) -> dict[str, Row]:
    """Return the driver's published routes, with depot, vehicle and shift."""
    rows = Route.objects.filter(pk__in=_uuids(ids), driver_id=driver_id)
    rows = rows.exclude(status=RouteState.DRAFT)
    mine = list(rows.select_related("depot__mode", "shift__vehicle"))
    locks = locks_of([route.pk for route in mine], driver_id)
    return _by_id(
        {
            "id": str(route.pk),
            "service_date": route.service_date.isoformat(),
            "status": route.status,
            "version": route.version,
            "starts_at": _ms(route.starts_at),
            "ends_at": _ms(route.ends_at),
            "distance_m": route.distance_m,
            "duration_s": route.duration_s,
            "travel_quality": route.travel_quality,
            "depot_name": route.depot.name,
            "depot_lat": route.depot.latitude,
            "depot_lon": route.depot.longitude,
            "time_zone": route.depot.time_zone,
            "vehicle_name": route.shift.vehicle.name,
            "break_starts_at": _ms(route.break_starts_at),
            "break_ends_at": _ms(route.break_ends_at),
            "shift_id": str(route.shift_id),
            "shift_status": route.shift.status,
            "planning_mode": mode_in(getattr(route.depot, "mode", None)).mode,
            **_lock(locks.get(route.pk)),
        }
        for route in mine
    )


def _lock(lock: Lock | None) -> Row:
    return {
        "is_locked": lock is not None,
        "locked_by": lock.by if lock else "",
        "locked_until_at": _ms(lock.until_at) if lock else None,
        "lock_text": lock.text if lock else "",
    }


def stops(driver_id: uuid.UUID, ids: Collection[str]) -> dict[str, Row]:
    """Return the stops on the driver's published routes."""
    rows = Stop.objects.filter(pk__in=_uuids(ids), route__driver_id=driver_id)
    mine = list(rows.exclude(route__status=RouteState.DRAFT))
    pins = pins_of([stop.pk for stop in mine], driver_id)
    return _by_id(
        {
            "id": str(stop.pk),
            "route_id": str(stop.route_id),
            "order_id": str(stop.order_id),
            "sequence": stop.sequence,
            "status": stop.status,
            "reason": stop.reason,
            "eta_at": _ms(stop.eta_at),
            "planned_arrival_at": _ms(stop.planned_arrival_at),
            "service_s": stop.service_s,
            "version": stop.version,
            "arrived_at": _ms(stop.arrived_at),
            "completed_at": _ms(stop.completed_at),
            "eta_low_at": _ms(stop.eta_low_at),
            "eta_high_at": _ms(stop.eta_high_at),
            "eta_reason": stop.eta_reason,
            "road_warning": stop.road_warning,
            "road_warning_text": stop.road_warning_text,
            "pins": _json(pins[stop.pk].rows if stop.pk in pins else ()),
            "pin_text": pins[stop.pk].text if stop.pk in pins else "",
        }
        for stop in mine
    )


def orders(driver_id: uuid.UUID, ids: Collection[str]) -> dict[str, Row]:
    """Return the orders that the driver has a stop for."""
    mine = Stop.objects.filter(route__driver_id=driver_id, order__in=_uuids(ids))
    mine = mine.exclude(route__status=RouteState.DRAFT)
    rows = Order.objects.filter(pk__in=mine.values("order_id"))
    rows = rows.select_related("customer").prefetch_related(
        Prefetch("windows", TimeWindow.objects.order_by("opens_at"))
    )
    under_way = set(
        mine.filter(status__in=UNDER_WAY).values_list("order_id", flat=True)
    )
    return _by_id(_order(order, order.pk in under_way) for order in rows)


def _order(order: Order, is_under_way: bool) -> Row:
    return {
        "id": str(order.pk),
        "reference": order.reference,
        "kind": order.kind,
        # One that is not under way leaves the route when it is cancelled.
        "is_cancelled": is_under_way and order.status == OrderState.CANCELLED,
        "customer_name": order.customer.name if order.customer else "",
        "customer_phone": order.customer.phone if order.customer else "",
        "street": order.street,
        "house_number": order.house_number,
        "postcode": order.postcode,
        "city": order.city,
        "lat": order.latitude,
        "lon": order.longitude,
        "windows": _json(
            [[_ms(each.opens_at), _ms(each.closes_at)] for each in order.windows.all()]
        ),
        "requires": _json(order.requires),
        "proof": _json(order.proof),
        "notes": order.notes,
        "pieces": order.pieces,
        "load_g": order.load_g,
        "load_ml": order.load_ml,
        "priority": order.priority,
        "service_s": order.service_s,
    }


def plan_changes(driver_id: uuid.UUID, ids: Collection[str]) -> dict[str, Row]:
    """Return the differences that the driver has to acknowledge, or has."""
    return _by_id(
        {
            "id": str(change.pk),
            "route_id": str(change.route_id),
            "route_version": change.route_version,
            "added": _json(change.added),
            "removed": _json(change.removed),
            "moved": _json(change.moved),
            "eta_moved": _json(change.eta_moved),
            "why": gettext(change.why) if change.why else "",
            "made_at": _ms(change.made_at),
            "acknowledged_at": _ms(change.acknowledged_at),
            "recommendation_id": _text(change.plan.recommendation_id),
            "how_to_object": how_to_object(DRIVER),
        }
        for change in PlanChange.objects.filter(
            pk__in=_uuids(ids), driver_id=driver_id
        ).select_related("plan")
    )


def recommendations(driver_id: uuid.UUID, ids: Collection[str]) -> dict[str, Row]:
    """Return recommendations of the driver's depot; the feed names the driver's own."""
    depot = Driver.objects.filter(pk=driver_id).values("depot_id")
    rows = Recommendation.objects.filter(pk__in=_uuids(ids), depot_id__in=depot)
    columns = ("id", "kind", "engine", "mode", "reasons", "data_used")
    reasons = reasons_in_words()
    return _by_id(
        {
            "id": str(row["id"]),
            "kind": row["kind"],
            "engine": row["engine"],
            "mode": row["mode"],
            "reasons": _json(row["reasons"]),
            "issued_at": _ms(row["issued_at"]),
            "why": _json([said(reason) for reason in row["reasons"]]),
            "data_used": _json([said(used) for used in row["data_used"]]),
            "how_to_object": how_to_object(DRIVER),
            "reason_codes": _json(reasons),
        }
        for row in rows.values(*columns, "issued_at")
    )


def feedback_answers(driver_id: uuid.UUID, ids: Collection[str]) -> dict[str, Row]:
    """Return what the driver said of recommendations, and what the office answers."""
    rows = Feedback.objects.filter(pk__in=_uuids(ids), driver_id=driver_id)
    return _by_id(
        {
            "id": str(row.pk),
            "recommendation_id": _text(row.recommendation_id),
            "rating": row.rating,
            "reason": row.reason,
            "text": row.text,
            "objects": row.is_objection,
            "status": row.status,
            "status_text": state_in_words(row.status),
            "answer": answer_in_words(row.answer_code, row.answer),
            "given_at": _ms(row.given_at),
            "answered_at": _ms(row.answered_at),
        }
        for row in rows
    )


def surveys(driver_id: uuid.UUID, ids: Collection[str]) -> dict[str, Row]:
    """Return the surveys that wait for the driver's answer."""
    rows = SurveyAsk.objects.filter(
        pk__in=_uuids(ids), driver_id=driver_id, closed_at=None
    ).select_related("survey")
    language = get_language() or "en"
    return _by_id(
        {
            "id": str(row.pk),
            "key": row.survey.key,
            "version": row.survey.version,
            "title": in_language(row.survey.title, language),
            "questions": _json(
                in_words(read_questions(row.survey.questions), language)
            ),
            "asked_at": _ms(row.asked_at),
            "expires_at": _ms(row.expires_at),
        }
        for row in rows
    )


def event_results(driver_id: uuid.UUID, ids: Collection[str]) -> dict[str, Row]:
    """Return what became of the driver's events, in the language that is active."""
    found: dict[str, Row] = {}
    words: dict[tuple[str, ...], Row] = {}  # those of a page have few verdicts
    for row in RESULTS.rows(ids, driver_id):
        event_id, kind, stop_id, received_at, occurred_at, ours_at, corrects = row[:7]
        judged = row[7:]
        if judged not in words:
            words[judged] = _in_words(judged)
        found[event_id] = {
            "id": event_id,
            "kind": kind,
            "stop_id": stop_id,
            "received_at": _ms(received_at),
            "occurred_at": _ms(occurred_at),
            "ours_at": _ms(ours_at),
            "corrects": corrects,
            **words[judged],
        }
    return found


def _in_words(judged: Sequence[str]) -> Row:
    result, code, detail, ours, yours, rule = judged
    verdict = Verdict(result, code, detail, ours, yours=yours, rule=rule)
    said = explained(verdict)
    return {
        "result": result,
        "code": code,
        "detail": told(verdict),
        "rule": said.rule,
        "yours": said.yours,
        "ours": said.ours,
        "winner": said.winner,
        "advice": said.advice,
    }


def attachments(driver_id: uuid.UUID, ids: Collection[str]) -> dict[str, Row]:
    """Return how far the driver's files of proof are."""
    mine = Attachment.objects.filter(pk__in=ids, driver_id=driver_id)
    rejected = set(
        DeviceEvent.objects.filter(
            pk__in=mine.exclude(event_id="").values("event_id"),
            driver_id=driver_id,
            result=REJECTED,
        ).values_list("pk", flat=True)
    )
    return _by_id(
        {
            "id": row.pk,
            "event_id": row.event_id,
            "stop_id": row.stop_id,
            "status": row.status,
            "detail": told_of_file(row.detail, is_rejected=row.event_id in rejected),
            "size_bytes": row.size_bytes,
            "received_bytes": row.received_bytes,
            "stored_at": _ms(row.stored_at),
        }
        for row in mine
    )


def overrides(driver_id: uuid.UUID, ids: Collection[str]) -> dict[str, Row]:
    """Return what the driver wants changed, and what became of it, in words."""
    mine = Override.objects.filter(pk__in=_uuids(ids), driver_id=driver_id)
    return _by_id(
        {
            "id": str(row.pk),
            "kind": row.kind,
            "state": row.state,
            "detail": told_override(row),
            "event_id": row.client_id,
            "stop_id": str(row.stop_id or ""),
            "route_id": str(row.route_id or ""),
            "approver": row.approver,
            "impact": _json(
                impact_for_device(impact_from_wire(row.impact) if row.impact else None)
            ),
            "asked_at": _ms(row.asked_at),
            "deadline_at": _ms(row.deadline_at),
            "answered_at": _ms(row.answered_at),
        }
        for row in mine.select_related("depot", "right")
    )


def verdicts(driver_id: uuid.UUID, ids: Collection[str]) -> dict[str, Row]:
    """Return who was right about what the driver chose, in words."""
    mine = heard_by(driver_id).filter(pk__in=_uuids(ids))
    return _by_id(
        {
            "id": str(row.pk),
            "kind": row.kind,
            "ruling": row.ruling,
            "text": to_the_driver(row.ruling, row.gained_s, row.because),
            "data_used": data_used(row.arithmetic),
            "how_to_object": how_to_object(DRIVER),
            "event_id": row.override.client_id if row.override else "",
            "route_id": str(row.route_id),
            "recommendation_id": _text(row.recommendation_id),
            "gained_s": row.gained_s,
            "judged_at": _ms(row.judged_at),
        }
        for row in mine.select_related("override")
    )


RENDERERS: Final[Mapping[str, Renderer]] = {
    "routes": routes,
    "stops": stops,
    "orders": orders,
    "plan_changes": plan_changes,
    "recommendations": recommendations,
    "event_results": event_results,
    "attachments": attachments,
    "feedback_answers": feedback_answers,
    "surveys": surveys,
    "overrides": overrides,
    "verdicts": verdicts,
}


def _by_id(rows: Iterable[Row]) -> dict[str, Row]:
    return {row["id"]: row for row in rows}


def _uuids(ids: Collection[str]) -> list[uuid.UUID]:
    parsed = []
    for text in ids:
        try:
            parsed.append(uuid.UUID(text))
        except ValueError:
            continue
    return parsed


def _ms(instant: datetime | None) -> int | None:
    return None if instant is None else round(instant.timestamp() * 1000)


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
