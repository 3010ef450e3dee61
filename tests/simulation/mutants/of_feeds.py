"""Mutants of feeds: heads, numbers, pages, resets, horizons."""

import uuid
from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any
from unittest import mock

from apps.journal.models import Change, FeedHead
from apps.journal.services import Writer, _Unit
from apps.routes.models import Stop
from apps.sync import feeds, selectors, services
from apps.sync.services import compacting
from tests.simulation.device import Profile, Row
from tests.simulation.mutants.registry import mutant, patch


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


@mutant
def head_read_after_the_rows() -> Iterator[None]:
    """A page ends at a head that was read when its rows had been."""
    cut = selectors._cut

    def late(feed: FeedHead, *given: Any, **more: Any) -> Any:
        page = cut(feed, *given, **more)
        if page.has_more:
            return page
        now = FeedHead.objects.filter(pk=feed.pk).values_list("head", flat=True)
        feed.head = now.first() or feed.head
        return replace(page, number=feed.head)

    with patch(selectors, "_cut", late):
        yield


@mutant
def horizon_not_moved() -> Iterator[None]:
    """Deleted rows are forgotten, and who has not heard of them never will."""

    def forget(scope: uuid.UUID, *, before: datetime, journal: Writer) -> int:
        journal.lock([scope])
        gone = Change.objects.filter(scope=scope, deleted=True, at__lt=before)
        return gone.delete()[0]

    with patch(compacting, "forget_removed", forget):
        yield


@mutant
def compaction_retires_what_is_not_over() -> Iterator[None]:
    """Whatever has not changed for a while leaves the feed, over or not."""
    nothing: dict[str, Any] = dict.fromkeys(compacting.STILL, lambda *_: set())
    with patch(compacting, "STILL", nothing):
        yield


@mutant
def cursor_before_the_horizon_goes_on() -> Iterator[None]:
    """A device that missed a compaction goes on as if it had heard all."""

    def astray(since: selectors.Since, feed: FeedHead) -> bool:
        if since.number is None:
            return False
        is_other = since.epoch is not None and since.epoch != feed.epoch
        return is_other or since.number > feed.head

    with patch(selectors, "_is_astray", astray):
        yield
