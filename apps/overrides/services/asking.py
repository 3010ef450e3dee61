"""Somebody wants the plan to be another: asked once, and taken back again."""

import uuid
from dataclasses import dataclass
from datetime import date, datetime

from django.contrib.auth.models import User
from django.db import IntegrityError

from apps.core.actors import Actor
from apps.core.problems import Conflict, Invalid, NotFound, Problem
from apps.drivers.models import Driver
from apps.journal.services import Writer, writing
from apps.overrides.models import Override
from apps.overrides.people import own_roles, user_of
from apps.overrides.rights import rank
from apps.overrides.services.closing import close
from apps.overrides.states import AskReason, OverrideState
from apps.overrides.targets import NO_ID, Target, target_of, target_of_stop
from apps.overrides.wishes import OTHER, Wish, stored
from apps.recommendations.models import Recommendation
from apps.routes.changes import TakeAlternative, kind_of
from apps.routes.models import Route
from apps.routes.selectors import parse_id

DRIVER = "Driver"


class NotYours(Problem):
    """A driver wants something changed that is another's."""

    type = "/problems/not-your-stop"
    title = "This is not on your route: ask the office."
    status = 403


class NotTheAsker(Conflict):
    """Somebody takes back what another one asked."""

    type = "/problems/not-the-asker"
    title = "Only who asked may take a request back; reject it instead."


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Who asks, by which door; a driver in the driver's own name."""

    source: str
    user: User
    driver: Driver | None = None

    @property
    def role(self) -> str:
        """The role in which it is asked: the highest that one has."""
        if self.driver is not None:
            return DRIVER
        return max(own_roles(self.user), key=rank, default="")


def office_asker(by: Actor, source: str) -> Asker:
    """Return who of the office asks.

    Raises:
        NotFound: the actor is nobody of the office.
    """
    user = user_of(by)
    if user is None:
        raise NotFound("There is no such person.")
    return Asker(source=source, user=user)


def driver_asker(driver: Driver, source: str) -> Asker:
    """Return the driver who asks."""
    return Asker(source=source, user=driver.user, driver=driver)


def request_override(
    wish: Wish,
    *,
    asker: Asker,
    place: tuple[uuid.UUID, date] | None = None,
    asked_at: datetime,
    by: Actor,
    now: datetime,
) -> Override:
    """Keep what somebody wants changed; it is priced next, and then decided.

    `place` is the depot and day of a wish in words that names no stop. A request with the
    same `client_id` of the same asker is the first one.

    Raises:
        NotFound: what it is about does not exist.
        NotYours: it is not the driver's.
        Invalid: there is no such reason, or nothing says where words belong.
    """
    known = _known(wish, by)
    if known is not None:
        return known
    target = where(wish, place)
    if asker.driver is not None:
        check_own(wish, target, asker.driver)
    if wish.reason not in AskReason.values:
        raise Invalid(f"There is no reason “{wish.reason[:40]}”.")
    row = _row(wish, target, asker, by)
    row.asked_at, row.received_at = min(asked_at, now), now
    scopes = [asker.driver.pk] if asker.driver else []
    try:
        with writing(by=by, now=now, scopes=scopes) as journal:
            row.save(force_insert=True)
            _tell(row, journal)
    except IntegrityError:
        # The same request at the same time: the other one was first.
        return Override.objects.get(asked_by=str(by), client_id=wish.client_id)
    return row


def _known(wish: Wish, by: Actor) -> Override | None:
    return Override.objects.filter(asked_by=str(by), client_id=wish.client_id).first()


def where(wish: Wish, place: tuple[uuid.UUID, date] | None = None) -> Target:
    """Return what a wish is about.

    Raises:
        NotFound: it does not exist.
        Invalid: nothing says where words belong.
    """
    if wish.change is not None:
        return target_of(wish.change)
    if wish.stop_id:
        return target_of_stop(wish.stop_id)
    if place is None:
        raise Invalid("Say which depot and day it is about.")
    return Target(depot_id=place[0], service_date=place[1])


def check_own(wish: Wish, target: Target, driver: Driver) -> None:
    """Let a driver ask for what is on the driver's own route alone.

    Raises:
        NotFound: it is another depot's.
        NotYours: it is another driver's.
    """
    if target.depot_id != driver.depot_id:
        raise NotFound
    if isinstance(wish.change, TakeAlternative):
        mine = Route.objects.filter(
            driver=driver,
            plan__recommendation_id=target.recommendation_id or NO_ID,
        )
        if not mine.exists():
            raise NotYours
    elif (target.route_id or target.stop_id) and target.driver_id != driver.pk:
        raise NotYours


def _row(wish: Wish, target: Target, asker: Asker, by: Actor) -> Override:
    change = stored(wish)
    named = parse_id(wish.recommendation_id) if wish.recommendation_id else None
    about = Recommendation.objects.filter(
        pk=named or target.recommendation_id or NO_ID, depot_id=target.depot_id
    )
    return Override(
        depot_id=target.depot_id,
        service_date=target.service_date,
        kind=OTHER if wish.change is None else kind_of(wish.change),
        change=change,
        asked_change=change,
        route_id=target.route_id,
        stop_id=target.stop_id,
        driver=asker.driver,
        source=asker.source,
        asked_by=str(by),
        asked_user=asker.user,
        asked_role=asker.role,
        client_id=wish.client_id,
        reason=wish.reason,
        note=wish.note,
        recommendation=about.only("pk").first(),
    )


def _tell(row: Override, journal: Writer) -> None:
    journal.record(
        "override.asked",
        row,
        depot_id=row.depot_id,
        kind=row.kind,
        source=row.source,
        role=row.asked_role,
        reason=row.reason,
        service_date=row.service_date.isoformat(),
    )
    if row.driver_id is not None:
        journal.changed(row.driver_id, "overrides", row.pk)


def withdraw_override(*, override_id: uuid.UUID, by: Actor, now: datetime) -> Override:
    """Take back what one has asked oneself, before it is answered.

    Raises:
        NotFound: there is no such request.
        NotTheAsker: another one asked it.
        AlreadyAnswered: it has its answer.
    """
    row = Override.objects.filter(pk=override_id).first()
    if row is None:
        raise NotFound
    if row.asked_by != str(by):
        raise NotTheAsker
    return close(row, OverrideState.WITHDRAWN, by=by, now=now)
