"""The times of arrival that a driver is told, as entries of the ledger."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from apps.core.actors import Actor
from apps.recommendations import services as recommendations
from apps.recommendations.services import Draft
from apps.routes.etaledger import (
    ENGINE,
    ENGINE_VERSION,
    encode_request,
    encode_times,
)
from apps.routes.etaparts import Expected
from apps.routes.outlook import Outlook
from apps.routes.parameters import CONFORMAL, SPREAD

ROUTE = "route"
LASTS = timedelta(hours=24)
"""So long after the last shift's end nobody waits for these times any more."""


def note_times(
    told: Sequence[tuple[Outlook, Sequence[Expected]]], *, by: Actor, now: datetime
) -> None:
    """Write one entry a route, in the place of the one that was told before."""
    if not told:
        return
    recommendations.supersede_open(
        kind="eta",
        subject_type=ROUTE,
        subject_ids=[str(outlook.route.pk) for outlook, _ in told],
        by=by,
        now=now,
    )
    drafts = [_draft(outlook, expected) for outlook, expected in told]
    recommendations.issue_all(drafts, by=by, now=now)


def _draft(outlook: Outlook, expected: Sequence[Expected]) -> Draft:
    return Draft(
        kind="eta",
        depot_id=outlook.route.depot_id,
        subject_type=ROUTE,
        subject_id=str(outlook.route.pk),
        inputs=encode_request(
            outlook.outset,
            outlook.visits,
            outlook.rests,
            outlook.conditions,
            outlook.law,
        ),
        answer=encode_times(expected),
        engine=ENGINE,
        engine_version=ENGINE_VERSION,
        seed=0,
        mode="rules",
        parameters={
            "wanted_percent": 90,
            "eta_interval": CONFORMAL if outlook.law.calibration else SPREAD,
        },
        alternatives=[_as_planned(outlook, expected)],
        reasons=[
            {
                "code": "times_told",
                "count": len(expected),
                "text": f"Times of arrival for {len(expected)} stops.",
            }
        ],
        data_used=_data_used(outlook),
        expires_at=max(outlook.route.ends_at, outlook.route.shift.ends_at) + LASTS,
    )


def _as_planned(outlook: Outlook, expected: Sequence[Expected]) -> dict[str, Any]:
    """Return how far the plan's own times lie from these, in the mean: what else was."""
    apart_s = [
        abs((time.eta_at - visit.plan_eta_at).total_seconds())
        for time, visit in zip(expected, outlook.visits, strict=True)
        if visit.plan_eta_at is not None
    ]
    mean_s = round(sum(apart_s) / len(apart_s)) if apart_s else 0
    return {"engine": "plan", "apart_s": mean_s}


def _data_used(outlook: Outlook) -> list[dict[str, Any]]:
    used: list[dict[str, Any]] = [
        {
            "code": "where_the_driver_is",
            "text": "Where the driver was last, and when.",
        },
        {
            "code": "travel_and_service",
            "text": "Travel times of the plan and of the hour, and times at the door.",
        },
        {
            "code": "windows_and_breaks",
            "text": "Delivery windows and breaks.",
        },
    ]
    if outlook.law.calibration is not None:
        text = "How far earlier told times were off, by part of town and hour."
        version = outlook.law.calibration.version
        used.append({"code": "past_errors", "version": version, "text": text})
    if outlook.conditions:
        count = len(outlook.conditions)
        text = f"{count} reports of the road that are in force."
        used.append({"code": "conditions", "count": count, "text": text})
    return used
