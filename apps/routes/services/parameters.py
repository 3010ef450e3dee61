"""Planning parameters: new versions, with what speaks for them."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db.models import Max

from apps.core.actors import Actor
from apps.core.problems import FieldError, Invalid, NotFound
from apps.depots.models import Depot
from apps.journal.services import writing
from apps.routes.followed import BadFollowed
from apps.routes.models import PlanningParameter
from apps.routes.parameters import with_overrides
from apps.routes.servicefactors import BadFactors
from apps.routes.services.leaves import check_leave
from apps.routes.states import Act
from apps.routes.zoneorder import BadZoneOrder


def keep_parameters(
    depot_id: uuid.UUID,
    values: Mapping[str, Any],
    *,
    because: str,
    by: Actor,
    now: datetime,
) -> list[PlanningParameter]:
    """Let values be in force from now on, each as the next version of its parameter.

    Raises:
        NotFound: there is no such depot.
        KeyError: a value has the name of no parameter.
        Invalid: what is by place or zone names none, or is out of bounds.
        MachineMayNot: the machine learned them, and no decision point lets it.
    """
    try:
        with_overrides(values)
    except BadFactors as bad:
        fault = FieldError("/service_factors", "bounds", str(bad))
        raise Invalid(fault.detail, errors=[fault]) from bad
    except (BadZoneOrder, BadFollowed) as bad:
        name = "zone_order" if isinstance(bad, BadZoneOrder) else "followed"
        fault = FieldError(f"/{name}", "bounds", str(bad))
        raise Invalid(fault.detail, errors=[fault]) from bad
    check_leave(Act.PARAMETERS, depot_id, by=by, now=now)
    with writing(by=by, now=now) as journal:
        depot = Depot.objects.select_for_update().filter(pk=depot_id).first()
        if depot is None:
            raise NotFound("There is no such depot.")
        mine = PlanningParameter.objects.filter(depot=depot, name__in=list(values))
        newest = dict(
            mine.order_by().values_list("name").annotate(newest=Max("version"))
        )
        rows = PlanningParameter.objects.bulk_create(
            PlanningParameter(
                depot=depot,
                name=name,
                version=newest.get(name, 0) + 1,
                value=value,
                valid_from=now,
                created_by=str(by),
                why=because,
            )
            for name, value in sorted(values.items())
        )
        journal.record(
            "parameters.changed",
            depot,
            depot_id=depot.pk,
            versions={row.name: row.version for row in rows},
            because=because,
        )
    return rows
