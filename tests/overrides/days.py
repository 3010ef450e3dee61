"""A small published day to change, and the people who may."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User

from apps.core.actors import Actor, user_actor
from apps.depots.models import Depot
from apps.overrides.models import Override
from apps.overrides.services.asking import driver_asker, office_asker, request_override
from apps.overrides.states import OverrideSource
from apps.overrides.wishes import Wish
from apps.routes.changes import from_wire
from apps.routes.models import Route, Stop
from tests.factories import NOW
from tests.office import make_user
from tests.queueing import drain, drain_only
from tests.routes.days import make_day, publish_day, sequence

ASKED = NOW + timedelta(minutes=5)
PRICE = "apps.overrides.tasks.price"


@dataclass
class Scene:
    """Two published routes of six stops, and one of each role."""

    depot: Depot
    routes: list[Route]
    people: dict[str, User] = field(default_factory=dict)

    def by(self, role: str) -> Actor:
        return user_actor(self.user(role))

    def user(self, role: str) -> User:
        if role not in self.people:
            self.people[role] = make_user(role, self.depot)
        return self.people[role]

    def stops(self, route: int = 0) -> list[Stop]:
        return sequence(self.routes[route])

    def driver(self, route: int = 0) -> Actor:
        return Actor("driver", str(self.routes[route].driver_id))

    def asks(self, kind: str, values: dict[str, Any], **more: Any) -> Override:
        """Let the driver of a route ask for a change, by the device."""
        route = self.routes[more.pop("route", 0)]
        by = Actor("driver", str(route.driver_id))
        asker = driver_asker(route.driver, OverrideSource.DEVICE)
        return self._asked(kind, values, asker, by, **more)

    def office_asks(
        self, role: str, kind: str, values: dict[str, Any], **more: Any
    ) -> Override:
        by = self.by(role)
        return self._asked(
            kind, values, office_asker(by, OverrideSource.ADMIN), by, **more
        )

    def _asked(
        self, kind: str, values: dict[str, Any], asker: Any, by: Actor, **more: Any
    ) -> Override:
        number = Override.objects.count()
        wish = Wish(
            client_id=more.pop("client_id", f"wish-{number}"),
            change=from_wire(kind, values),
            **more,
        )
        return request_override(wish, asker=asker, asked_at=ASKED, by=by, now=ASKED)


def make_scene() -> Scene:
    """Plan and publish a small day once; nothing is left in the queue."""
    depot = make_day(orders=10, shifts=2)
    publish_day(depot)
    drain()
    routes = Route.objects.filter(depot=depot).select_related("driver__user", "shift")
    scene = Scene(depot, sorted(routes, key=lambda route: -route.stops.count()))
    scene.user("Coordinator")
    scene.user("Supervisor")
    return scene


def priced(row: Override) -> Override:
    """Let the worker price what was asked."""
    drain_only(PRICE)
    row.refresh_from_db()
    return row
