"""The one table of upward causality: which journal entry gives cause to which tasks.

A row is a task's dotted name and what makes its arguments of the entry; None means that
this entry, after all, gives no cause.
"""

from typing import Any

from django.conf import settings

from apps.journal.models import Entry
from apps.journal.services import Reaction
from apps.routes.parameters import DEFAULTS

REOPTIMIZE = "apps.routes.tasks.reoptimize"
FOLLOW_ORDER = "apps.routes.tasks.follow_order"
FOLLOW_SHIFT = "apps.routes.tasks.follow_shift"
FOLLOW_CONDITION = "apps.routes.tasks.follow_condition"
DRAW_WAYS = "apps.routes.tasks.draw_ways"
ASK = "apps.feedback.tasks.ask_after"
SETTLE = "apps.routes.tasks.settle_recommendations"

TELL_DAY = "apps.customers.tasks.tell_day"
PROPOSE_PIN = "apps.customers.tasks.propose_pin"


def _plan(entry: Entry) -> dict[str, Any]:
    return {"plan_id": entry.subject_id}


def _order(entry: Entry) -> dict[str, Any]:
    return {"order_id": entry.subject_id}


def _nothing(entry: Entry) -> dict[str, Any]:
    """The task looks for itself."""
    return {}


def _import(entry: Entry) -> dict[str, Any] | None:
    if not entry.payload["service_dates"]:
        return None
    return {
        "depot_id": str(entry.depot_id),
        "service_dates": entry.payload["service_dates"],
    }


def _driver_pin(entry: Entry) -> dict[str, Any] | None:
    """A driver who says where an address really is; without a place nothing is proposed."""
    told = entry.payload
    if told.get("lat") is None or not told.get("stop_id"):
        return None
    return {name: told[name] for name in ("driver_id", "stop_id", "lat", "lon")}


def _shift(entry: Entry) -> dict[str, Any]:
    return {"shift_id": entry.subject_id}


def _replan(entry: Entry, route_id: str | None) -> dict[str, Any]:
    return {
        "depot_id": str(entry.depot_id),
        "service_date": entry.payload["service_date"],
        "route_id": route_id,
        "cause": entry.kind,
    }


def _whole_day(entry: Entry) -> dict[str, Any]:
    return _replan(entry, None)


def _whole_day_with_order(entry: Entry) -> dict[str, Any]:
    return {**_whole_day(entry), "order_id": entry.subject_id}


def _whole_day_with_shift(entry: Entry) -> dict[str, Any]:
    return {**_whole_day(entry), "shift_id": entry.subject_id}


def _day_it_left(entry: Entry) -> dict[str, Any] | None:
    """An order that moved to another day leaves room on the day where it was."""
    old = entry.payload.get("old_service_date")
    return {**_whole_day(entry), "service_date": old} if old else None


def _its_route(entry: Entry) -> dict[str, Any] | None:
    route_id = entry.payload.get("route_id")
    return _replan(entry, route_id) if route_id else None


def _where_it_was(entry: Entry) -> dict[str, Any] | None:
    """What an ended shift left behind may find a place on any route."""
    if entry.payload["because"] == "shift_ended":
        return _whole_day(entry)
    return _its_route(entry)


def _its_route_if_late(entry: Entry) -> dict[str, Any] | None:
    return _its_route(entry) if abs(entry.payload["late_s"]) > DEFAULTS.late_s else None


def _whole_day_if_late(entry: Entry) -> dict[str, Any] | None:
    is_late = entry.payload["late_s"] > DEFAULTS.late_s
    return _whole_day_with_shift(entry) if is_late else None


def _attachment(entry: Entry) -> dict[str, Any]:
    return {"attachment_id": entry.subject_id}


def _condition(entry: Entry) -> dict[str, Any]:
    return {"condition_id": entry.subject_id}


def _ways_of_day(entry: Entry) -> dict[str, Any] | None:
    """Only roads can draw a way along them."""
    if settings.ROADS_SOURCE == "estimated":
        return None
    return {
        "depot_id": str(entry.depot_id),
        "service_date": entry.payload["service_date"],
    }


def _its_driver(entry: Entry) -> dict[str, Any] | None:
    """The driver who did it, or whom it is about; nobody else is asked."""
    kind, _, actor_id = entry.actor.partition(":")
    driver_id = entry.payload.get("driver_id") or (actor_id if kind == "driver" else "")
    if not driver_id:
        return None
    about = f"{entry.subject_type}:{entry.subject_id}"
    return {"driver_id": driver_id, "because": entry.kind, "about": about}


def _day(entry: Entry) -> dict[str, Any]:
    return {
        "depot_id": str(entry.depot_id),
        "service_date": entry.payload["service_date"],
    }


def _stops(entry: Entry) -> dict[str, Any]:
    """A push may tell of many stops: one task hears of them all."""
    return {"stop_ids": [entry.subject_id]}


def _reply(entry: Entry) -> dict[str, Any]:
    return {"reply_id": entry.subject_id}


def _override(entry: Entry) -> dict[str, Any]:
    return {"override_id": entry.subject_id}


def _learned(entry: Entry) -> dict[str, Any]:
    return {"recommendation_id": entry.payload["recommendation_id"]}


def _proposal(entry: Entry) -> dict[str, Any]:
    return {"proposal_id": entry.subject_id}


def _touched_routes(entry: Entry) -> dict[str, Any]:
    return {**_replan(entry, None), "route_ids": entry.payload["route_ids"]}


def _its_depot(entry: Entry) -> dict[str, Any]:
    return {"depot_id": str(entry.depot_id) if entry.depot_id else None}


def _itself(entry: Entry) -> dict[str, Any]:
    return {"entry_id": str(entry.pk)}


def _yes(entry: Entry) -> dict[str, Any]:
    return {"act": entry.payload["act"], **_its_depot(entry)}


INCIDENT: tuple[Reaction, ...] = (("apps.incidents.tasks.follow_entry", _itself),)


REACTIONS: dict[str, tuple[Reaction, ...]] = {
    "plan.requested": (("apps.routes.tasks.plan_day", _plan),),
    "plan.ready": ((DRAW_WAYS, _ways_of_day),),
    "plan.published": ((DRAW_WAYS, _ways_of_day), (TELL_DAY, _day)),
    "plan.unchanged": ((DRAW_WAYS, _ways_of_day),),
    "orders.imported": (("apps.routes.tasks.follow_import", _import),),
    "order.created": ((REOPTIMIZE, _whole_day_with_order),),
    "order.changed": (
        (FOLLOW_ORDER, _order),
        (REOPTIMIZE, _whole_day_with_order),
        (REOPTIMIZE, _day_it_left),
    ),
    "order.cancelled": ((FOLLOW_ORDER, _order),),
    "shift.started": ((FOLLOW_SHIFT, _shift), (REOPTIMIZE, _whole_day_if_late)),
    "shift.planned": ((REOPTIMIZE, _whole_day_with_shift),),
    "shift.changed": ((REOPTIMIZE, _whole_day_with_shift),),
    "shift.cancelled": ((FOLLOW_SHIFT, _shift),),
    "shift.ended": (
        (FOLLOW_SHIFT, _shift),
        (SETTLE, _nothing),
        (ASK, _its_driver),
        ("apps.verdicts.tasks.judge", _shift),
    ),
    "plan_change.acknowledged": ((ASK, _its_driver),),
    "feedback.actioned": ((ASK, _its_driver),),
    "feedback.declined": ((ASK, _its_driver),),
    "stop.released": ((REOPTIMIZE, _where_it_was),),
    "stop.failed": (
        (REOPTIMIZE, _its_route),
        ("apps.customers.tasks.tell_missed", _stops),
    ),
    "stop.partial": ((REOPTIMIZE, _its_route_if_late),),
    "stop.succeeded": (
        (REOPTIMIZE, _its_route_if_late),
        ("apps.customers.tasks.ask_how_it_was", _stops),
    ),
    "stop.enroute": (("apps.customers.tasks.tell_next", _stops),),
    "message.asked_where": (("apps.customers.tasks.answer_where", _reply),),
    "stop.arrived": ((REOPTIMIZE, _its_route_if_late),),
    "stop.reopened": ((REOPTIMIZE, _its_route),),
    "stop.corrected": ((REOPTIMIZE, _its_route),),
    "attachment.received": (("apps.sync.tasks.store_attachment", _attachment),),
    "condition.reported": ((FOLLOW_CONDITION, _condition), *INCIDENT),
    "condition.changed": ((FOLLOW_CONDITION, _condition),),
    "condition.confirmed": ((FOLLOW_CONDITION, _condition), *INCIDENT),
    "condition.ended": ((FOLLOW_CONDITION, _condition), *INCIDENT),
    "condition.expired": ((FOLLOW_CONDITION, _condition), *INCIDENT),
    "decision_point.let": (
        ("apps.routes.tasks.go_on", _its_depot),
        ("apps.incidents.tasks.follow_yes", _yes),
    ),
    "exception.reported": ((PROPOSE_PIN, _driver_pin), *INCIDENT),
    "machine.refused": INCIDENT,
    "mode.fell_back": INCIDENT,
    "mode.came_back": INCIDENT,
    "plan.failed": INCIDENT,
    "stop.needs_review": INCIDENT,
    "stop.counted_after_reassign": INCIDENT,
    **dict.fromkeys(
        (
            *("proposal.tested", "proposal.approved", "proposal.declined"),
            *("proposal.expired", "proposal.in_force", "proposal.kept"),
            "proposal.reverted",
        ),
        INCIDENT,
    ),
    "monitor.drifted": INCIDENT,
    "recommendation.differs": INCIDENT,
    "override.asked": (("apps.overrides.tasks.price", _override),),
    "parameters.learned": (("apps.tuning.tasks.propose_learned", _learned),),
    "estimates.learned": (
        ("apps.tuning.tasks.propose_service", _its_depot),
        ("apps.tuning.tasks.propose_sequences", _its_depot),
    ),
    "proposal.made": (("apps.tuning.tasks.begin_shadow", _proposal),),
    "condition.touched": ((REOPTIMIZE, _touched_routes),),
    "change.applied": ((REOPTIMIZE, _touched_routes),),
}
