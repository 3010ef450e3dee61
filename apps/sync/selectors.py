"""The pull: what a device has to hear since a number; never writes.

The order of numbers is the order of commits, so that nothing at or below a head that was
read can appear later. Rows are read after their numbers, in their present state: one
that changed in between is sent in its newer state now, and again under its own number.
"""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

from django.utils import translation

from apps.core.statements import Statement, as_is
from apps.journal.models import Change, FeedHead
from apps.routes.models import Stop
from apps.sync.feeds import RENDERERS
from apps.sync.schema import (
    SCHEMA_VERSION,
    TABLES,
    Table,
    emptied,
    shaper,
    tables_at,
)

DEFAULT_LIMIT: Final = 500
MAX_LIMIT: Final = 2000
EVERYTHING: Final = 2**62
AROUND: Final = timedelta(days=2)
MOST_STOPS: Final = 500
PAGE: Final = Statement(
    """
    SELECT number, "table", row_id, deleted FROM journal_change
     WHERE scope = %s AND number > %s AND number <= %s AND "table" IN %s
       AND (%s OR NOT deleted)
     ORDER BY number LIMIT %s
    """,
    *(as_is, as_is, as_is, bool),
)
FEED: Final = Statement(
    "SELECT head, horizon, epoch FROM journal_feedhead WHERE scope = %s",
    *(as_is, as_is, as_is),
)


@dataclass(frozen=True, slots=True)
class Since:
    """How far a device has come: nowhere yet (None), or a number, of an epoch."""

    number: int | None = None
    epoch: int | None = None


@dataclass(frozen=True, slots=True)
class PullRequest:
    """What a device asks; `whole_tables` are those that its migration added to."""

    since: Since = field(default_factory=Since)
    schema_version: int = SCHEMA_VERSION
    whole_tables: frozenset[str] = frozenset()
    tables: frozenset[str] | None = None
    limit: int = DEFAULT_LIMIT
    full_deletes: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """One page of changes, up to `number`; `reset` says that it is the full set."""

    changes: Mapping[str, Mapping[str, list[Any]]]
    number: int
    epoch: int
    head: int
    has_more: bool
    reset: bool

    @property
    def cursor(self) -> str:
        """The page's end, as the opaque text that a device hands back."""
        return cursor_of(self.epoch, self.number)


def cursor_of(epoch: int, number: int) -> str:
    """Return the opaque text for a number of a feed's epoch."""
    return f"e{epoch}.{number}"


@dataclass(frozen=True, slots=True)
class _Cut:
    """The part of a feed that one page holds."""

    rows: Mapping[str, Mapping[str, bool]]
    number: int
    has_more: bool


def pull(
    *,
    feed: FeedHead,
    language: str,
    request: PullRequest,
    known_tables: Iterable[Table] = TABLES,
) -> Page:
    """Return the next page of a driver's feed, in words of the driver's language."""
    reset = _is_astray(request.since, feed)
    is_first = request.since.number is None or reset
    known = tables_at(request.schema_version, known_tables)
    wanted = {
        name: table
        for name, table in known.items()
        if request.tables is None or name in request.tables
    }
    number = 0 if is_first else request.since.number or 0
    if number == feed.head and not request.whole_tables:
        nothing = {name: _no_changes() for name in wanted}
        return Page(nothing, number, feed.epoch, feed.head, has_more=False, reset=reset)
    cut = _cut(feed, number, request, set(wanted), whole=reset)
    with translation.override(language or None):
        changes = {
            name: _rendered(
                feed.scope,
                table,
                cut.rows.get(name, {}),
                request,
                # A page is no shorter than its limit while more remain: clients end there.
                drops_gone=is_first and not cut.has_more,
            )
            for name, table in wanted.items()
        }
    return Page(changes, cut.number, feed.epoch, feed.head, cut.has_more, reset)


def _is_astray(since: Since, feed: FeedHead) -> bool:
    """Tell whether a cursor says nothing of this feed: then the full set is due."""
    if since.number is None:
        return False
    if since.epoch is not None and since.epoch != feed.epoch:
        return True
    return not feed.horizon <= since.number <= feed.head


def _cut(
    feed: FeedHead, number: int, request: PullRequest, tables: set[str], *, whole: bool
) -> _Cut:
    """Return the rows of a page; a page ends between two numbers, never within one.

    The full set is one page, since a client drops what is not in it.
    """
    end, most = feed.head, EVERYTHING if whole else request.limit
    after = (feed.pk, number, feed.head, tables, number > 0)
    found = PAGE.rows(*after, most + 1)
    has_more = len(found) > most
    if has_more:
        end = found[most - 1][0]
        found = [row for row in found if row[0] < end] + PAGE.rows(
            *(feed.pk, end - 1, end, tables, number > 0), EVERYTHING
        )
        has_more = bool(PAGE.rows(feed.pk, end, feed.head, tables, number > 0, 1))
    rows: dict[str, dict[str, bool]] = defaultdict(dict)
    for _, table, row_id, deleted in found:
        rows[table][row_id] = deleted
    if request.whole_tables:
        whole_rows = Change.objects.filter(
            scope=feed.pk, table__in=request.whole_tables & tables, deleted=False
        )
        for table, row_id in whole_rows.values_list("table", "row_id"):
            rows[table][row_id] = False
    return _Cut(rows, end, has_more)


def _no_changes() -> dict[str, list[Any]]:
    return {"created": [], "updated": [], "deleted": []}


def _rendered(
    driver_id: uuid.UUID,
    table: Table,
    changed: Mapping[str, bool],
    request: PullRequest,
    *,
    drops_gone: bool,
) -> dict[str, list[Any]]:
    """Return one table's changes; a row that is not the driver's now is a deleted id.

    With `drops_gone` such a row is not named: the device cannot have it.
    """
    if not changed:
        return _no_changes()
    version = request.schema_version
    shape = shaper(table, version)
    live = [row_id for row_id, deleted in changed.items() if not deleted]
    rows = RENDERERS[table.name](driver_id, live) if live else {}
    gone: list[Any] = [] if drops_gone else sorted(changed.keys() - rows.keys())
    if request.full_deletes:
        gone = [emptied(row_id, table, version) for row_id in gone]
    return {
        "created": [],
        "updated": [shape(rows[row_id]) for row_id in sorted(rows)],
        "deleted": gone,
    }


def feed_of(driver_id: uuid.UUID) -> FeedHead:
    """Return how far a driver's feed goes; one of which nothing was told is at 0."""
    rows = FEED.rows(driver_id)
    if not rows:
        return FeedHead(scope=driver_id)
    [(head, horizon, epoch)] = rows
    return FeedHead(scope=driver_id, head=head, horizon=horizon, epoch=epoch)


def stops_had(driver_id: uuid.UUID, day: date) -> list[tuple[str, str]]:
    """Return the stops that a driver ever had of the days around one: id, and in words."""
    around = (day - AROUND, day + AROUND)
    rows = (
        Stop.objects.filter(
            assignments__driver_id=driver_id, order__service_date__range=around
        )
        .select_related("order__customer")
        .order_by("order__service_date", "sequence", "pk")
        .distinct()
    )
    return [(str(stop.pk), _stop_in_words(stop)) for stop in rows[:MOST_STOPS]]


def _stop_in_words(stop: Stop) -> str:
    order = stop.order
    who = order.customer.name if order.customer else order.reference
    where = f"{order.street} {order.house_number}".strip() or order.city
    return (
        f"{order.service_date:%d %b}, {stop.sequence}. {who}, {where} ({stop.status})"
    )
