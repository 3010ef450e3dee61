"""Rules of the server, broken one at a time: each has to be noticed by an invariant.

A mutant lives in the process that runs it, and nowhere else. Its docstring says what is
wrong with it.
"""

import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from unittest import mock

from django.db.models import QuerySet

from apps.drivers.authentication import DeviceCredential
from apps.journal import services as journal
from apps.journal.models import Change, FeedHead
from apps.journal.services import Writer, _Unit
from apps.routes import progress
from apps.routes.models import Stop
from apps.routes.services import stops
from apps.sync import feeds, moments, selectors, services
from apps.sync.api import PushView, SessionNeeded
from apps.sync.models import DeviceEvent
from apps.sync.services import holding, pushing
from tests.simulation.device import Profile, Row

Mutant = Callable[[], AbstractContextManager[None]]
MUTANTS: dict[str, Mutant] = {}
patch = mock.patch.object


def mutant(make: Callable[[], Iterator[None]]) -> Mutant:
    made = contextmanager(make)
    MUTANTS[make.__name__.replace("_", " ")] = made
    return made


# ── feeds ───────────────────────────────────────────────────────────────────
@mutant
def scope_starts_at_0() -> Iterator[None]:
    """A new feed has no number that a device could name."""
    with patch(services, "open_feed", lambda **_: None):
        yield


@mutant
def tombstone_forgotten() -> Iterator[None]:
    """What leaves a driver is not told to that driver."""
    with patch(Writer, "removed", lambda *_: None):
        yield


@mutant
def head_is_not_moved() -> Iterator[None]:
    """A change takes the number that the feed has already."""
    flush = _Unit.flush

    def stale(unit: _Unit, now: datetime) -> None:
        flush(unit, now)
        scopes = {scope for scope, _, _ in unit.changes}
        for feed in FeedHead.objects.filter(scope__in=scopes, head__gt=1):
            feed.head -= 1
            Change.objects.filter(scope=feed.pk, number=feed.head + 1).update(
                number=feed.head
            )
            feed.save()

    with patch(_Unit, "flush", stale):
        yield


@mutant
def unsorted_locks() -> Iterator[None]:
    """Locks are taken in no order that two transactions share."""

    def select(scopes: list[uuid.UUID]) -> dict[uuid.UUID, int]:
        rows = FeedHead.objects.select_for_update().filter(scope__in=scopes)
        return dict(rows.order_by("-scope").values_list("scope", "head"))

    with patch(_Unit, "_select", staticmethod(select)):
        yield


@mutant
def page_splits_a_number() -> Iterator[None]:
    """A page ends after so many rows, in the middle of a transaction."""
    cut = selectors._cut

    def split(
        feed: Any, number: int, request: Any, tables: set[str], **more: Any
    ) -> Any:
        page = cut(feed, number, request, tables, **more)
        rows: dict[str, dict[str, bool]] = {}
        left = request.limit
        for table in sorted(page.rows):
            for row_id in sorted(page.rows[table])[:left]:
                rows.setdefault(table, {})[row_id] = page.rows[table][row_id]
                left -= 1
        return replace(page, rows=rows)

    with patch(selectors, "_cut", split):
        yield


@mutant
def rows_of_others_leak() -> Iterator[None]:
    """A feed holds what all drivers are told, and renders whatever it holds."""
    cut, render = selectors._cut, feeds.stops

    def everyone(feed: Any, *given: Any, **more: Any) -> Any:
        page = cut(feed, *given, **more)
        told = Change.objects.filter(table="stops", deleted=False)
        rows = {row_id: False for row_id in told.values_list("row_id", flat=True)}
        return replace(page, rows={**page.rows, "stops": rows})

    def anybody(driver_id: uuid.UUID, ids: Collection[str]) -> dict[str, Row]:
        rows: dict[str, Row] = {}
        for holder in Stop.objects.filter(pk__in=ids, route__isnull=False).values_list(
            "route__driver_id", flat=True
        ):
            rows |= render(holder, ids)
        return rows

    with (
        patch(selectors, "_cut", everyone),
        mock.patch.dict(feeds.RENDERERS, {"stops": anybody}),
    ):
        yield


@mutant
def epoch_not_asked() -> Iterator[None]:
    """A cursor from before a restore counts as if nothing had happened."""

    def astray(since: Any, feed: FeedHead) -> bool:
        number = since.number
        return number is not None and not feed.horizon <= number <= feed.head

    with patch(selectors, "_is_astray", astray):
        yield


@mutant
def new_holder_not_told() -> Iterator[None]:
    """A stop that goes to another driver is told to the first one alone."""
    changed = Writer.changed

    def silent(writer: Writer, scope: uuid.UUID, table: str, *row_ids: object) -> None:
        if table == "stops":
            known = Change.objects.filter(scope=scope, table=table, deleted=False)
            told = set(known.values_list("row_id", flat=True))
            row_ids = tuple(row_id for row_id in row_ids if str(row_id) in told)
        changed(writer, scope, table, *row_ids)

    with patch(Writer, "changed", silent):
        yield


@mutant
def reset_loses_unsent_events() -> Iterator[None]:
    """A device that is told to begin anew throws its outbox away as well."""
    merge = Profile.merge

    def forget(profile: Profile, page: Row) -> None:
        merge(profile, page)
        if page.get("reset"):
            profile.outbox.clear()

    with patch(Profile, "merge", forget):
        yield


# ── the inbox ───────────────────────────────────────────────────────────────
@mutant
def duplicate_applied_again() -> Iterator[None]:
    """An event that is known is judged as if it were new."""

    def all_fresh(
        items: Sequence[Any], _: Any
    ) -> tuple[dict[str, Any], dict[str, int]]:
        events = {i: item.event for i, item in enumerate(items) if item.event}
        return {}, {event.id: index for index, event in reversed(events.items())}

    with patch(pushing, "_sort_out_known", all_fresh):
        yield


@mutant
def result_not_stored() -> Iterator[None]:
    """What became of an event is answered and told, and not kept."""

    def forget(rows: Iterable[DeviceEvent], writer: Writer) -> None:
        for row in rows:
            writer.changed(row.driver_id, "event_results", row.pk)

    with patch(pushing, "keep_verdicts", forget):
        yield


@mutant
def results_not_told() -> Iterator[None]:
    """What became of an event is stored, and not told by the feed."""
    changed = Writer.changed

    def silent(writer: Writer, scope: uuid.UUID, table: str, *row_ids: object) -> None:
        if table != "event_results":
            changed(writer, scope, table, *row_ids)

    with patch(Writer, "changed", silent):
        yield


@mutant
def retry_is_kept() -> Iterator[None]:
    """An event that is to be sent again stays in the inbox, and is a repeat then."""
    delete = QuerySet.delete

    def keep(rows: Any) -> Any:
        return (0, {}) if rows.model is DeviceEvent else delete(rows)

    with patch(QuerySet, "delete", keep):
        yield


@mutant
def savepoint_not_rolled_back() -> Iterator[None]:
    """An event that fails half-way leaves its half behind."""

    @contextmanager
    def joined(unit: _Unit) -> Iterator[None]:
        yield

    with patch(journal, "_joined", joined):
        yield


@mutant
def repeated_id_accepted_with_another_body() -> Iterator[None]:
    """Whoever sends a known id again is answered as if it were the same event."""
    answer_known = pushing._answer_known

    def trusting(
        push: Any, index: int, item: Any, event: Any, row: DeviceEvent
    ) -> None:
        answer_known(push, index, item, replace(event, body_hash=row.body_hash), row)

    with patch(pushing, "_answer_known", trusting):
        yield


@mutant
def held_dropped() -> Iterator[None]:
    """An event that comes too early is answered, and thrown away."""
    keep_verdicts = holding.keep_verdicts

    def drop(rows: Iterable[DeviceEvent], writer: Writer) -> None:
        rows = list(rows)
        keep_verdicts(rows, writer)
        held = [row.pk for row in rows if row.result == "held"]
        DeviceEvent.objects.filter(pk__in=held).delete()

    with patch(pushing, "keep_verdicts", drop):
        yield


@mutant
def rejected_body_lost() -> Iterator[None]:
    """What is rejected is not kept for a supervisor."""
    refuse = pushing._refuse

    def drop(push: Any, *given: Any) -> None:
        refuse(push, *given)
        push.quarantine.clear()

    with patch(pushing, "_refuse", drop):
        yield


@mutant
def expired_session_blocks_evidence() -> Iterator[None]:
    """A push asks for a session that lasts, as a pull does."""
    post = PushView.post

    def strict(view: PushView, request: Any) -> Any:
        credential = request.auth
        if isinstance(credential, DeviceCredential) and not credential.is_session(
            pushing_now()
        ):
            raise SessionNeeded
        return post(view, request)

    with patch(PushView, "post", strict):
        yield


def pushing_now() -> datetime:
    from apps.core import clock  # noqa: PLC0415 (as it is patched by now)

    return clock.now()


# ── stops ───────────────────────────────────────────────────────────────────
@mutant
def no_ownership_history() -> Iterator[None]:
    """A fact is judged by who holds the stop now."""

    lock = stops._lock_visits

    def held_now(*given: Any) -> Any:
        visits = lock(*given)
        for visit in visits.values():
            route = visit.stop.route
            visit.given_to = set() if route is None else {route.driver_id}
        return visits

    with patch(stops, "_lock_visits", held_now):
        yield


@mutant
def late_fact_turns_the_stop_over() -> Iterator[None]:
    """The state is that of whatever came last."""

    def newest(facts: Sequence[progress.Fact]) -> progress.Progress:
        last = [fact for fact in facts if fact.step != progress.NOTE][-1:]
        return progress._attempt_state(last)

    with patch(progress, "fold", newest):
        yield


@mutant
def stop_not_folded() -> Iterator[None]:
    """A fact is kept, and the stop stays as it was."""
    with patch(stops, "_fold", lambda *_: None):
        yield


# ── clocks ──────────────────────────────────────────────────────────────────
@mutant
def wall_clock_believed() -> Iterator[None]:
    """The device's wall clock dates events, whatever its other clock says."""
    with patch(moments, "_by_mono", lambda *_: None):
        yield


@mutant
def future_believed() -> Iterator[None]:
    """A clock that is ahead makes facts of tomorrow."""
    moment_of = moments.moment_of

    def trusting(reading: Any, **given: Any) -> Any:
        later = given["received_at"] + timedelta(days=3)
        return moment_of(reading, **given | {"received_at": later})

    with patch(pushing, "moment_of", trusting):
        yield
