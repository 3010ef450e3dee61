"""Playbooks and the work they make: given to people, done, or not needed (C25, C30)."""

import uuid
from datetime import datetime, timedelta

from apps.core.actors import Actor
from apps.core.problems import Conflict, FieldError, Invalid, NotFound
from apps.incidents.models import ActionItem, Incident, Playbook, WorkCap
from apps.incidents.selectors import who_takes
from apps.incidents.services.incidents import Given, whoever_is_there
from apps.incidents.states import ITEM_STEPS, ItemState
from apps.journal.services import Writer, writing


class NotItsPlaybook(Conflict):
    """The list of steps is out of use, or another depot's."""

    type = "/problems/not-its-playbook"
    title = "This playbook is not one for this incident."


class PlaybookIsEmpty(Conflict):
    """The list has no steps."""

    type = "/problems/playbook-is-empty"
    title = "This playbook has no steps yet."


def start_playbook(
    *, incident_id: uuid.UUID, playbook_id: uuid.UUID, by: Actor, now: datetime
) -> list[ActionItem]:
    """Make the steps of a playbook to-dos of an incident; again makes no more.

    Each goes to whoever of its role is there and has the most room; where nobody is, it
    waits with the role.

    Raises:
        NotFound: there is no such incident or playbook.
        NotItsPlaybook: it is out of use, or another depot's.
        PlaybookIsEmpty: it has no steps.
    """
    with writing(by=by, now=now) as journal:
        incident = Incident.objects.select_for_update().filter(pk=incident_id).first()
        playbook = Playbook.objects.filter(pk=playbook_id).first()
        if incident is None or playbook is None:
            raise NotFound
        if not playbook.is_active or playbook.depot_id not in {
            None,
            incident.depot_id,
        }:
            raise NotItsPlaybook
        known = list(incident.items.filter(playbook=playbook).order_by("number"))
        if known:
            return known
        items = _items(incident, playbook, by, now)
        if not items:
            raise PlaybookIsEmpty
        journal.record(
            "playbook.started",
            incident,
            depot_id=incident.depot_id,
            playbook=playbook.name,
            steps=len(items),
        )
    return items


def _items(
    incident: Incident, playbook: Playbook, by: Actor, now: datetime
) -> list[ActionItem]:
    """Create the to-dos one by one: who has the most room changes with each."""
    return [
        ActionItem.objects.create(
            depot_id=incident.depot_id,
            incident=incident,
            playbook=playbook,
            number=step.number,
            text=step.text,
            role=step.role,
            owner=who_takes(incident.depot_id, step.role, now),
            due_at=now + timedelta(minutes=step.due_min),
            given_at=now,
            given_by=str(by),
        )
        for step in playbook.steps.order_by("number")
    ]


def delegate(*, item_id: uuid.UUID, owner_id: int, by: Actor, now: datetime) -> Given:
    """Give a to-do to somebody else; the stand-in gets it where that person is away.

    Raises:
        NotFound: there is no such to-do.
        IllegalStep: it is settled.
        Invalid: the person does not work in the depot.
        NobodyThere: the person is away, and nobody stands in.
    """
    with writing(by=by, now=now) as journal:
        item = _locked(item_id)
        ITEM_STEPS.check(item.status, ItemState.OPEN)
        given = whoever_is_there(item.depot_id, owner_id, now)
        item.owner_id = given.owner_id
        item.save(update_fields=["owner"])
        journal.record(
            "item.delegated",
            item,
            depot_id=item.depot_id,
            incident_id=str(item.incident_id or ""),
            owner_id=given.owner_id,
            warning=given.warning,
        )
    return given


def settle_item(
    *, item_id: uuid.UUID, as_: str, note: str = "", by: Actor, now: datetime
) -> ActionItem:
    """Mark a to-do done, or not needed.

    Raises:
        NotFound: there is no such to-do.
        IllegalStep: it is settled already.
        Invalid: it is neither.
    """
    if as_ not in {ItemState.DONE, ItemState.DROPPED}:
        fault = FieldError("/as", "unknown", "A to-do is done, or dropped.")
        raise Invalid(fault.detail, errors=[fault])
    with writing(by=by, now=now) as journal:
        item = _locked(item_id)
        ITEM_STEPS.check(item.status, as_)
        item.status, item.note = as_, note.strip()[:300]
        item.settled_at, item.settled_by = now, str(by)
        item.save()
        _record_settled(item, journal)
    return item


def _record_settled(item: ActionItem, journal: Writer) -> None:
    journal.record(
        "item.settled",
        item,
        depot_id=item.depot_id,
        incident_id=str(item.incident_id or ""),
        state=item.status,
        text=item.text,
        was_late=item.settled_at is not None and item.settled_at > item.due_at,
    )


def set_cap(*, user_id: int, most: int, by: Actor, now: datetime) -> WorkCap:
    """Say how much open work somebody should have at most.

    Raises:
        Invalid: less than one.
    """
    if most < 1:
        fault = FieldError("/most", "out_of_range", "One at least.")
        raise Invalid(fault.detail, errors=[fault])
    with writing(by=by, now=now) as journal:
        cap, _ = WorkCap.objects.update_or_create(
            user_id=user_id,
            defaults={"most": most, "set_at": now, "set_by": str(by)},
        )
        journal.record("work_cap.set", cap, user_id=user_id, most=most)
    return cap


def _locked(item_id: uuid.UUID) -> ActionItem:
    item = ActionItem.objects.select_for_update().filter(pk=item_id).first()
    if item is None:
        raise NotFound
    return item
