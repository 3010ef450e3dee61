"""What was set aside: mended and applied as a new event, or dismissed with a reason."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from apps.core.actors import Actor
from apps.core.ids import uuid7
from apps.core.problems import Conflict, FieldError, Invalid, NotFound
from apps.core.verdicts import OK, REJECTED, Verdict
from apps.journal.services import HoldersMoved, Writer, writing
from apps.routes.selectors import scopes_of_stops
from apps.sync.handlers import HELD, RETRY
from apps.sync.inbox import check_payload, hash_of, number_of, reading_of
from apps.sync.kinds import PAYLOADS
from apps.sync.models import DeviceAnchor, DeviceEvent, QuarantinedEvent
from apps.sync.moments import Anchor, Moment, moment_of
from apps.sync.rules import DISMISSED, MENDED
from apps.sync.services.expecting import expect_anew
from apps.sync.services.holding import (
    TRIES,
    Busy,
    check_locked,
    stops_corrected,
)
from apps.sync.services.judging import judge as judge_event
from apps.sync.services.judging import settle
from apps.sync.services.naming import name_attachments
from apps.sync.states import QuarantineState


class SettledAlready(Conflict):
    """Somebody was faster."""

    type = "/problems/quarantine-settled"
    title = "Somebody has settled this report already."


@dataclass(frozen=True, slots=True)
class Mended:
    """An event as it should have come."""

    kind: str
    stop_id: str
    payload: dict[str, Any]

    def checked(self) -> msgspec.Struct:
        """Return the payload in the shape of its kind.

        Raises:
            Invalid: it has another shape, or the stop is missing.
        """
        _, checked, fault = check_payload(self.kind, self.payload)
        if checked is None:
            raise Invalid(errors=[FieldError("/payload", "shape", fault)])
        if self.kind.startswith("stop.") and not self.stop_id:
            raise Invalid(errors=[FieldError("/stop_id", "required", "Name the stop.")])
        return checked


def mend_event(
    *, quarantined_id: uuid.UUID, mended: Mended, by: Actor, now: datetime
) -> DeviceEvent:
    """Apply a mended event in the name of its driver; the body stays as it came.

    It is a new event that names the one it corrects, and it is dated as that one. The
    driver hears of it like of any other.

    Raises:
        NotFound: there is no such body.
        SettledAlready: it was applied or dismissed before.
        Invalid: the event is refused like this; nothing has changed.
        Busy: its stop changed hands again and again.
    """
    checked = mended.checked()
    more: frozenset[uuid.UUID] = frozenset()
    for _ in range(TRIES):
        try:
            with writing(by=by, now=now, scopes=more) as journal:
                return _apply(quarantined_id, mended, checked, more, journal)
        except HoldersMoved as moved:
            more |= moved.scopes
    raise Busy


def _apply(
    quarantined_id: uuid.UUID,
    mended: Mended,
    checked: msgspec.Struct,
    locked: frozenset[uuid.UUID],
    journal: Writer,
) -> DeviceEvent:
    aside = QuarantinedEvent.objects.select_related("device").filter(pk=quarantined_id)
    body = aside.first()
    if body is None:
        raise NotFound
    stops = {mended.stop_id} | stops_corrected([(mended.kind, mended.payload)])
    check_locked({body.driver_id} | scopes_of_stops(stops), locked)
    event = _event("mended", body, mended, journal.now)
    event.save(force_insert=True)
    _settle(body, QuarantineState.APPLIED, journal, mended_event=event)
    verdict = judge_event(event, checked, journal, by=journal.by)
    if verdict.result in {REJECTED, RETRY, HELD}:
        raise Invalid(f"It is refused like this: {verdict.detail}")
    settle(event, verdict)
    if verdict == OK and not event.rule:
        event.rule = MENDED.id
    event.save()
    journal.changed(event.driver_id, "event_results", event.pk)
    if foreign := name_attachments([(event, checked)], journal):
        ids = ", ".join(attachment_id for _, attachment_id in foreign)
        fault = f"Files of another stop: {ids}."
        raise Invalid(errors=[FieldError("/payload", "attachments", fault)])
    journal.record(
        "event.mended",
        body,
        depot_id=body.device.depot_id,
        driver_id=str(body.driver_id),
        event_id=event.pk,
        corrects=event.corrects,
        result=event.result,
    )
    expect_anew([event], now=journal.now)
    return event


def _event(
    how: str, body: QuarantinedEvent, mended: Mended, now: datetime
) -> DeviceEvent:
    moment = when_it_happened(body)
    return DeviceEvent(
        id=f"{how}-{uuid7().hex}",
        driver_id=body.driver_id,
        device=body.device,
        seq=number_of(body.body) or 0,
        kind=mended.kind,
        stop_id=mended.stop_id,
        payload=mended.payload,
        body_hash=hash_of([mended.kind, mended.stop_id, mended.payload]),
        occurred_at=moment.occurred_at,
        uncertainty_ms=moment.uncertainty_ms,
        time_quality=moment.quality,
        received_at=now,
        result=RETRY,
        code="internal",
        corrects=body.event_id,
    )


def when_it_happened(body: QuarantinedEvent) -> Moment:
    """Return when a report was made that was set aside, by the clocks in its body."""
    reading = reading_of(body.body)
    rows = DeviceAnchor.objects.filter(device_id=body.device_id)
    columns = ("boot_id", "mono_ms", "server_at", "rtt_ms")
    rows = rows.filter(boot_id=reading.boot_id)
    return moment_of(
        reading,
        anchors=[Anchor(*row) for row in rows.values_list(*columns)],
        offset_ms=body.device.clock_offset_ms,
        earliest_at=body.device.enrolled_at,
        received_at=body.received_at,
    )


def dismiss_event(
    *, quarantined_id: uuid.UUID, reason: str, by: Actor, now: datetime
) -> QuarantinedEvent:
    """Lay a body aside for good; it stays to be read, and its driver hears the reason.

    Raises:
        NotFound: there is no such body.
        SettledAlready: it was applied or dismissed before.
        Invalid: no reason is given.
    """
    if not reason.strip():
        fault = "Say why: the driver may ask."
        raise Invalid(errors=[FieldError("/reason", "required", fault)])
    with writing(by=by, now=now) as journal:
        aside = QuarantinedEvent.objects.select_related("device")
        body = aside.filter(pk=quarantined_id).first()
        if body is None:
            raise NotFound
        _settle(body, QuarantineState.DISMISSED, journal, reason=reason.strip()[:300])
        journal.record(
            "event.dismissed",
            body,
            depot_id=body.device.depot_id,
            driver_id=str(body.driver_id),
            event_id=body.event_id,
        )
        _tell_driver(body, reason.strip()[:300], journal)
    return body


def _tell_driver(body: QuarantinedEvent, reason: str, journal: Writer) -> None:
    """Let an outcome of its own name the body: its id may be that of another event."""
    said = body.body if isinstance(body.body, dict) else {}
    kind, stop_id = (str(said.get(name) or "") for name in ("kind", "stop_id"))
    kind = kind if kind in PAYLOADS else ""  # a row of ours may have a kind of its own
    event = _event("dismissed", body, Mended(kind, stop_id[:64], {}), journal.now)
    settle(event, Verdict(REJECTED, DISMISSED, reason))
    event.save(force_insert=True)
    journal.changed(event.driver_id, "event_results", event.pk)


def _settle(
    body: QuarantinedEvent, state: QuarantineState, journal: Writer, **more: Any
) -> None:
    fields = {
        "state": state,
        "settled_at": journal.now,
        "settled_by": str(journal.by),
        **more,
    }
    rows = QuarantinedEvent.objects.filter(pk=body.pk, state=QuarantineState.OPEN)
    if not rows.update(**fields):
        raise SettledAlready
