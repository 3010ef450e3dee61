"""Changes of the plan that drivers have seen."""

import uuid
from datetime import datetime

from apps.core.actors import Actor
from apps.core.verdicts import OK, REJECTED, SUPERSEDED, Verdict
from apps.journal.services import writing
from apps.routes.models import PlanChange
from apps.routes.selectors import parse_id

NO_ID = uuid.UUID(int=0)


def acknowledge_plan_change(
    *,
    driver_id: uuid.UUID,
    change_id: str,
    occurred_at: datetime,
    by: Actor,
    now: datetime,
) -> Verdict:
    """Note that the driver has seen a change of the plan; again changes nothing.

    Where a newer change waits to be seen, the answer says so.
    """
    with writing(by=by, now=now, scopes=[driver_id]) as journal:
        rows = PlanChange.objects.filter(driver_id=driver_id)
        change = (
            rows.filter(pk=parse_id(change_id) or NO_ID).select_related("route").first()
        )
        if change is None:
            return Verdict(
                REJECTED, "invalid", "There is no such change of your plan to confirm."
            )
        open_rows = rows.filter(pk=change.pk, acknowledged_at=None)
        if open_rows.update(acknowledged_at=occurred_at):
            journal.changed(driver_id, "plan_changes", change.pk)
            journal.record(
                "plan_change.acknowledged",
                change,
                depot_id=change.route.depot_id,
                route_version=change.route_version,
            )
        newer = rows.filter(
            route=change.route,
            route_version__gt=change.route_version,
            acknowledged_at=None,
        )
        last = newer.order_by("route_version").last()
    if last is None:
        return OK
    return Verdict(
        SUPERSEDED,
        "newer_plan",
        "A newer change of your plan waits to be seen.",
        ours=str(last.route_version),
        ours_at=last.made_at,
        yours=str(change.route_version),
    )
