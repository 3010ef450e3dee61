"""How a depot writes to people: its policy, or the first values where it has none."""

import uuid
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from apps.depots.models import Depot
from apps.notifications import kinds
from apps.notifications.limits import Most
from apps.notifications.models import MessagePolicy
from apps.notifications.phrases import short_name
from apps.notifications.quiet import due_after_quiet

SENDER_MAX = 20


@dataclass(frozen=True, slots=True)
class Policy:
    """A depot's policy as other rooms read it; `zone` is the depot's."""

    depot_id: uuid.UUID
    zone: str
    sender: str
    language: str
    channels: tuple[str, ...]
    kinds_off: frozenset[str]
    kinds_urgent: frozenset[str]
    quiet_from: time
    quiet_until: time
    eta_moved: timedelta
    on_the_way: timedelta
    late: timedelta
    countries: frozenset[str]
    most: Most

    def due_at(self, kind: str, zone: str, now: datetime) -> datetime:
        """Return when a message of this kind may go to somebody in this zone."""
        if kind in self.kinds_urgent:
            return now
        return due_after_quiet(
            now, zone or self.zone, self.quiet_from, self.quiet_until
        )


def policy_of(depot_id: uuid.UUID) -> Policy:
    """Return the policy of a depot."""
    depot = Depot.objects.get(pk=depot_id)
    row = MessagePolicy.objects.filter(depot=depot).first()
    return read_policy(depot, row or MessagePolicy(depot=depot))


def read_policy(depot: Depot, row: MessagePolicy) -> Policy:
    """Return what a row says, with the depot's own values where it says nothing."""
    return Policy(
        depot_id=depot.pk,
        zone=depot.time_zone,
        sender=row.sender or short_name(depot.name, SENDER_MAX),
        language=row.language,
        channels=tuple(name for name in row.channels if name in kinds.CHANNELS),
        kinds_off=frozenset(row.kinds_off),
        kinds_urgent=frozenset(row.kinds_urgent),
        quiet_from=row.quiet_from,
        quiet_until=row.quiet_until,
        eta_moved=timedelta(minutes=row.eta_moved_min),
        on_the_way=timedelta(minutes=row.on_the_way_min),
        late=timedelta(minutes=row.late_min),
        countries=frozenset(row.countries or [depot.country]),
        most=Most(row.most_a_person, row.most_a_prefix, row.most_a_depot),
    )
