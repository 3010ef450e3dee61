"""Mutants of the inbox: who is answered what, in which order, and what is kept."""

import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from itertools import count
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from apps.core import clock
from apps.drivers import authentication
from apps.drivers.authentication import DeviceCredential
from apps.drivers.models import Device, Driver
from apps.drivers.services import devices
from apps.journal import services as journal
from apps.journal.services import Writer, _Unit
from apps.routes.selectors import parse_id
from apps.sync import services
from apps.sync.api import PushView, SessionNeeded
from apps.sync.lines import Line
from apps.sync.models import DeviceEvent
from apps.sync.services import answering, holding, keeping, pushing, turns
from apps.sync.services.turns import Candidate
from tests.simulation.mutants.registry import mutant, patch


@mutant
def duplicate_applied_again() -> Iterator[None]:
    """An event that is known is judged as if it were new."""

    def all_fresh(
        items: Sequence[Any], _: Any
    ) -> tuple[dict[str, Any], dict[str, int]]:
        events = {i: item.event for i, item in enumerate(items) if item.event}
        return {}, {event.id: index for index, event in reversed(events.items())}

    with patch(pushing, "sort_out_known", all_fresh):
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
    answer_known = answering._answer_known

    def trusting(
        push: Any, index: int, item: Any, event: Any, row: DeviceEvent
    ) -> None:
        answer_known(push, index, item, replace(event, body_hash=row.body_hash), row)

    with patch(answering, "_answer_known", trusting):
        yield


@mutant
def held_dropped() -> Iterator[None]:
    """An event that comes too early is answered, and thrown away."""
    keep_verdicts = keeping.keep_verdicts

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
    refuse = answering.refuse

    def drop(push: Any, *given: Any) -> None:
        refuse(push, *given)
        push.quarantine.clear()

    with patch(pushing, "refuse", drop), patch(answering, "refuse", drop):
        yield


@mutant
def expired_session_blocks_evidence() -> Iterator[None]:
    """A push asks for a session that lasts, as a pull does."""
    post = PushView.post

    def strict(view: PushView, request: Any) -> Any:
        credential = request.auth
        if isinstance(credential, DeviceCredential) and not credential.is_session(
            clock.now()
        ):
            raise SessionNeeded
        return post(view, request)

    with patch(PushView, "post", strict):
        yield


@mutant
def acknowledged_before_the_commit() -> Iterator[None]:
    """The answer leaves first; every fifth commit after it fails."""
    accept, turn = services.accept_events, count(1)

    def early(**given: Any) -> Any:
        with transaction.atomic():
            answers = accept(**given)
            transaction.set_rollback(next(turn) % 5 == 0)
        return answers

    with patch(services, "accept_events", early):
        yield


@mutant
def order_of_seq_not_kept() -> Iterator[None]:
    """Events are judged as they came."""

    def as_it_came(each: Candidate) -> tuple[int, str]:
        return (-1 if each.index is None else each.index, "")

    with patch(Candidate, "place", property(as_it_came)):
        yield


@mutant
def dependency_not_asked() -> Iterator[None]:
    """What an event depends on counts as here."""
    ask = turns._not_judged

    def careless(each: Candidate, line: Any, taken: set[str]) -> Any:
        return ask(each, line, taken | {each.row.depends_on})

    with patch(turns, "_not_judged", careless):
        yield


@mutant
def held_for_ever() -> Iterator[None]:
    """Nothing is forced, whatever its age."""
    with patch(holding, "devices_overdue", lambda **_: []):
        yield


@mutant
def what_never_comes_is_waited_for_for_ever() -> Iterator[None]:
    """An event is to be sent again as long as what it depends on has not come."""
    with patch(Candidate, "has_waited", lambda *_: False):
        yield


@mutant
def dependency_given_up_at_once() -> Iterator[None]:
    """What an event depends on has no time to come: the second time, it is judged."""

    def hasty(each: Candidate, *_: Any) -> bool:
        return each.index is not None and each.since is not None

    with patch(Candidate, "has_waited", hasty):
        yield


@mutant
def forced_at_once() -> Iterator[None]:
    """What is held is not given the time that it was promised."""
    release, overdue = holding.release_held, holding.devices_overdue

    def hasty(**given: Any) -> int:
        return release(**given | {"patience": given["patience"] * 0})

    def all_held(**given: Any) -> Any:
        return overdue(**given | {"patience": given["patience"] * 0})

    with (
        patch(holding, "release_held", hasty),
        patch(holding, "devices_overdue", all_held),
    ):
        yield


@mutant
def out_of_order_not_held() -> Iterator[None]:
    """A gap before an event is no reason to wait."""
    with patch(Line, "is_due", lambda *_: True):
        yield


# ── who made it ─────────────────────────────────────────────────────────────
@mutant
def maker_not_asked() -> Iterator[None]:
    """All that a device sends is its present driver's, whoever made it."""
    with patch(pushing, "_makers", lambda *_: frozenset()):
        yield


@mutant
def any_session_tells_whose_a_device_is() -> Iterator[None]:
    """A session that was opened before the newest shown one moves a device's own word."""

    def is_shown(credential: DeviceCredential) -> bool:
        is_new = credential.driver.pk == credential.device.driver_id
        return is_new and credential.number > 0

    def note(*, device_id: uuid.UUID, number: int, driver_id: uuid.UUID) -> None:
        Device.objects.filter(pk=device_id).update(shown_driver=driver_id)

    with (
        patch(DeviceCredential, "is_shown_first", property(is_shown)),
        patch(authentication, "note_session_shown", note),
    ):
        yield


@mutant
def handover_counts_before_it_is_shown() -> Iterator[None]:
    """A device's own credential is the new driver's at once, answered or not."""
    change = devices._change_driver

    def at_once(device: Device, driver: Driver, now: datetime) -> None:
        change(device, driver, now)
        Device.objects.filter(pk=device.pk).update(shown_driver=driver)

    with patch(devices, "_change_driver", at_once):
        yield


@mutant
def whoever_is_named_is_believed() -> Iterator[None]:
    """A device may speak for drivers who never signed in on it."""

    def believe(sender: Any, items: Sequence[Any]) -> frozenset[Any]:
        named = {parse_id(item.event.driver_id) for item in items if item.event}
        others = [each for each in named if each and each != sender.driver_id]
        known = Driver.objects.filter(pk__in=others)
        return frozenset(known.values_list("pk", flat=True))

    with patch(pushing, "_makers", believe):
        yield
