"""Mutants of devices: sessions, trust that was taken away, clocks, and files on their way."""

import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from apps.drivers.authentication import DeviceCredential
from apps.drivers.models import Device, Token
from apps.drivers.states import DeviceState
from apps.journal.models import Change, FeedHead
from apps.journal.services import Writer
from apps.sync import doors, moments
from apps.sync import services as sync
from apps.sync.models import Attachment
from apps.sync.services import (
    clocks,
    compacting,
    judging,
    naming,
    pushing,
    turns,
    uploads,
)
from apps.sync.states import AttachmentState
from tests.simulation.mutants.registry import mutant, patch


# ── sessions and trust ──────────────────────────────────────────────────────
@mutant
def expired_session_opens_the_pull() -> Iterator[None]:
    """A session is asked what it is for, and not how long it lasts."""

    def is_session(credential: DeviceCredential, now: datetime) -> bool:
        return credential.purpose == Token.Purpose.SESSION

    with patch(DeviceCredential, "is_session", is_session):
        yield


@mutant
def draining_device_is_shut_out() -> Iterator[None]:
    """A device that is to send what it holds before it is wiped may not send it."""
    credential = doors.DoorView.credential

    def strict(view: doors.DoorView, *, may_drain: bool = False) -> Any:
        return credential(view)

    with patch(doors.DoorView, "credential", strict):
        yield


@mutant
def revoked_device_counts_on() -> Iterator[None]:
    """What happened after a device lost our trust counts like anything else."""

    def never(*_: Any) -> bool:
        return False

    with (
        patch(judging, "was_out_of_service", never),
        patch(turns, "was_out_of_service", never),
    ):
        yield


@mutant
def all_of_a_revoked_device_is_doubted() -> Iterator[None]:
    """What happened while a device still had our trust waits for a person as well."""

    def ever(row: Any) -> bool:
        return bool(row.device.status != DeviceState.ACTIVE)

    with (
        patch(judging, "was_out_of_service", ever),
        patch(turns, "was_out_of_service", ever),
    ):
        yield


@mutant
def push_of_a_wiped_device_is_lost() -> Iterator[None]:
    """What a revoked device sends is refused, and nobody keeps it."""
    with patch(sync, "set_aside_push", lambda **_: 0):
        yield


# ── feeds ───────────────────────────────────────────────────────────────────
@mutant
def horizon_stops_one_short() -> Iterator[None]:
    """A compaction forgets a deleted row more than its horizon says."""

    def forget(scope: uuid.UUID, *, before: datetime, journal: Writer) -> int:
        journal.lock([scope])
        gone = Change.objects.filter(scope=scope, deleted=True, at__lt=before)
        last = max(gone.values_list("number", flat=True), default=0)
        FeedHead.objects.filter(pk=scope, horizon__lt=last - 1).update(horizon=last - 1)
        return gone.delete()[0]

    with patch(compacting, "forget_removed", forget):
        yield


# ── clocks ──────────────────────────────────────────────────────────────────
@mutant
def instants_are_surer_than_they_can_be() -> Iterator[None]:
    """Neither the way of the answer nor the drift of the clock is doubted."""
    with patch(moments.Anchor, "uncertainty_ms", lambda *_: 0):
        yield


@mutant
def clock_of_another_boot_believed() -> Iterator[None]:
    """A monotonic clock is read as if it had never begun anew."""
    by_mono = moments._by_mono

    def any_boot(reading: Any, anchors: Any) -> Any:
        same = [replace(anchor, boot_id=reading.boot_id) for anchor in anchors]
        return by_mono(reading, same)

    def of_all(**given: Any) -> Any:
        device_id = given["device_id"]
        rows = holding_anchors(device_id)
        return [*keep(**given), *rows]

    keep = clocks.keep_anchors

    def holding_anchors(device_id: uuid.UUID) -> list[moments.Anchor]:
        known = Device.objects.get(pk=device_id).anchors.all()
        columns = ("boot_id", "mono_ms", "server_at", "rtt_ms")
        return [moments.Anchor(*row) for row in known.values_list(*columns)]

    with patch(moments, "_by_mono", any_boot), patch(pushing, "keep_anchors", of_all):
        yield


# ── files ───────────────────────────────────────────────────────────────────
@mutant
def one_file_proves_two_stops() -> Iterator[None]:
    """A file goes to whichever stop named it last."""
    name = naming.name_attachments

    def rebind(named: Any, journal: Writer) -> Any:
        foreign = name(named, journal)
        for event, attachment_id in foreign:
            rows = Attachment.objects.filter(pk=attachment_id)
            rows.update(stop_id=event.stop_id, event_id=event.pk)
        return []

    with patch(pushing, "name_attachments", rebind):
        yield


@mutant
def parts_of_a_file_put_together_in_another_order() -> Iterator[None]:
    """The parts of a file are read as they lie, last one first."""
    contents = uploads._contents

    def backwards(upload: Any) -> Iterator[bytes]:
        return reversed(list(contents(upload)))

    with patch(uploads, "_contents", backwards):
        yield


@mutant
def file_that_is_safe_is_not_told() -> Iterator[None]:
    """A stored file is not announced: its device keeps its copy for ever."""
    turn = uploads._turn

    def silent(row: Any, status: Any, journal: Writer, detail: str = "") -> None:
        row.status, row.detail = status, detail
        row.save(update_fields=["status", "detail"])
        if status != AttachmentState.STORED:
            turn(row, status, journal, detail)

    with patch(uploads, "_turn", silent):
        yield


@mutant
def upload_given_up_with_its_parts_counted() -> Iterator[None]:
    """A damaged file begins anew at 0, and its old parts stay."""

    def careless(upload: Any, *, by: Any, now: datetime) -> None:
        type(upload).objects.filter(pk=upload.pk).update(offset=0)

    with patch(uploads, "_begin_anew", careless):
        yield
