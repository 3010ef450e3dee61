"""Mutants of what facts do: to stops, to clocks, to files, to places and words."""

import uuid
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from apps.core.units import instant_of
from apps.core.verdicts import OK
from apps.drivers.models import Driver, Position
from apps.drivers.services import positions
from apps.routes import progress
from apps.routes.services import stops
from apps.sync import moments
from apps.sync.handlers import voices
from apps.sync.models import Upload
from apps.sync.services import entering, tracking, uploads
from tests.simulation.mutants.registry import mutant, patch


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


@mutant
def anyone_may_report_on_any_stop() -> Iterator[None]:
    """Nobody asks whether the driver was ever given the stop."""
    lock = stops._lock_visits

    def open_to_all(*given: Any) -> Any:
        visits = lock(*given)
        everybody = set(Driver.objects.values_list("pk", flat=True))
        for visit in visits.values():
            visit.given_to = everybody
        return visits

    with patch(stops, "_lock_visits", open_to_all):
        yield


@mutant
def cancelled_stop_delivered() -> Iterator[None]:
    """A report from a stop that was cancelled meanwhile counts."""
    judge = progress.judge

    def careless(known: Any, new: Any, *, cancelled: bool) -> Any:
        return judge(known, new, cancelled=False)

    def unasked(stop: Any, report: Any, verdict: Any) -> Any:
        return verdict

    with patch(progress, "judge", careless), patch(stops, "_in_context", unasked):
        yield


@mutant
def delivered_twice() -> Iterator[None]:
    """Every success counts, whoever has delivered before."""
    judge = progress.judge

    def generous(known: Any, new: Any, *, cancelled: bool) -> Any:
        if new.step == progress.SUCCEEDED and not cancelled:
            return OK
        return judge(known, new, cancelled=cancelled)

    with patch(progress, "judge", generous):
        yield


# ── words ───────────────────────────────────────────────────────────────────
@mutant
def words_not_passed_on() -> Iterator[None]:
    """What a driver asks for or thinks is answered, and nobody hears of it."""
    with patch(voices, "_keep_words", lambda *_, **__: None):
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

    with patch(entering, "moment_of", trusting):
        yield


# ── files ───────────────────────────────────────────────────────────────────
@mutant
def wrong_hash_accepted() -> Iterator[None]:
    """Nobody compares what came with what was announced."""
    with patch(uploads, "_hash", lambda upload, _: upload.attachment.sha256):
        yield


@mutant
def an_upload_forgets_its_offset() -> Iterator[None]:
    """A part is kept, and the upload says that it has nothing."""
    count_part = uploads._count_part

    def forget(upload: Upload, *given: Any) -> None:
        count_part(upload, *given)
        Upload.objects.filter(pk=upload.pk).update(offset=0)

    with patch(uploads, "_count_part", forget):
        yield


# ── places ──────────────────────────────────────────────────────────────────
@mutant
def places_kept_outside_of_shifts() -> Iterator[None]:
    """Where somebody is who does not work is kept as well."""

    def always(driver_id: uuid.UUID, *, from_ms: int, until_ms: int, **_: Any) -> Any:
        return [(instant_of(from_ms), instant_of(until_ms + 1))]

    with patch(positions, "spans_of_work", always):
        yield


@mutant
def places_answered_and_dropped() -> Iterator[None]:
    """A fix is counted as stored, and is not."""
    record = positions.record_positions

    def drop(**given: Any) -> Any:
        kept = record(**given)
        Position.objects.filter(driver=given["driver_id"]).delete()
        return kept

    with patch(tracking, "record_positions", drop):
        yield
