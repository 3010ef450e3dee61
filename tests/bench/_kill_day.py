"""The day of the kill drill, laid into its own database by the process that migrated it."""

import json
import sys
from datetime import timedelta
from random import Random

from apps.core import clock
from apps.routes.models import PlanningParameter
from tests.simulation.office import Office, make_depot

DROPS_A_DRIVER = 12


def lay(drivers: int) -> None:
    """Make drivers with shifts, routes and devices; print the devices' credentials."""
    begins_at = clock.now() - timedelta(hours=1)
    depot = make_depot()
    PlanningParameter.objects.create(
        depot=depot,
        name="engine",
        version=1,
        value="rules",  # plans are not what is tried here
        valid_from=begins_at,
        created_by="system",
    )
    office = Office(clock, depot.pk, begins_at)
    crew = [office.hire(number, with_shift=True) for number in range(drivers)]
    for _ in range(drivers * DROPS_A_DRIVER):
        office.add_order()
    office.plan_first_day(Random(1))  # noqa: S311 (repeatable)
    devices = [office.enrol(driver) for driver in crew]
    shown = [
        {"device": each.device_token, "session": each.session.token} for each in devices
    ]
    sys.stdout.write(json.dumps(shown) + "\n")
