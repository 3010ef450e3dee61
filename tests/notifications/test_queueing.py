from datetime import timedelta

import pytest

from apps.core.problems import Invalid
from apps.journal.models import Entry
from apps.journal.services import writing
from apps.notifications.models import Message, MessagePolicy, MessageTemplate
from apps.notifications.services import (
    queue_message,
    queue_messages,
    record_consent,
)
from apps.notifications.states import MessageState
from apps.notifications.transports.memory import OUTBOX
from tests.factories import NOW, DepotFactory
from tests.notifications.people import ANNA, LINK, NOON, OFFICE, draft
from tests.queueing import drain

pytestmark = pytest.mark.django_db


def test_queue_message_is_sent_with_its_transaction() -> None:
    depot = DepotFactory(name="Lauf")

    row = queue_message(draft(depot.pk), by=OFFICE, now=NOON)
    assert row is not None
    drain()

    row.refresh_from_db()
    assert row.state == MessageState.SENT
    assert row.text == (
        f"Lauf: Lieferung Di 17.3. 10:00-12:00. Verfolgen oder andere Zeit: {LINK}"
    )
    assert (row.encoding, row.segments, row.language) == ("gsm7", 1, "de")
    [letter] = OUTBOX
    assert (letter.address, letter.text) == (ANNA.phone, row.text)
    kinds = Entry.objects.filter(subject_id=str(row.pk)).values_list("kind", flat=True)
    assert list(kinds) == ["message.queued", "message.sent"]


def test_queue_message_goes_with_a_cause_that_is_taken_back() -> None:
    depot = DepotFactory()

    def fail() -> None:
        with writing(by=OFFICE, now=NOON):
            queue_message(draft(depot.pk), by=OFFICE, now=NOON)
            raise Invalid

    with pytest.raises(Invalid):
        fail()

    drain()
    assert not Message.objects.exists()
    assert not OUTBOX


def test_queue_message_says_a_reason_once() -> None:
    depot = DepotFactory()
    assert queue_message(draft(depot.pk), by=OFFICE, now=NOON)
    drain()

    links: list[str] = []

    def make_link() -> str:
        links.append(LINK)
        return LINK

    again = draft(depot.pk, make_link=make_link)
    assert queue_message(again, by=OFFICE, now=NOON + timedelta(hours=1)) is None

    drain()
    assert len(OUTBOX) == 1
    assert not links


@pytest.mark.parametrize(
    ("moved_min", "is_told"), [(20, False), (-21, True), (21, True)]
)
def test_queue_message_tells_again_what_moved_beyond_the_threshold(
    moved_min: int, is_told: bool
) -> None:
    depot = DepotFactory()
    told_at = NOON + timedelta(hours=2)
    queue_message(draft(depot.pk, told_at=told_at), by=OFFICE, now=NOON)
    drain()

    moved = told_at + timedelta(minutes=moved_min)
    row = queue_message(draft(depot.pk, told_at=moved), by=OFFICE, now=NOON)
    drain()

    assert (row is not None) == is_told
    assert len(OUTBOX) == 1 + is_told
    if row is not None:
        assert row.number == 2


def test_queue_message_waits_for_the_morning_and_the_newer_time_overtakes() -> None:
    depot = DepotFactory()
    midnight = NOW.replace(hour=1)  # two in the morning in Lauf
    first = queue_message(draft(depot.pk, told_at=NOON), by=OFFICE, now=midnight)
    later = NOON + timedelta(hours=1)
    second = queue_message(draft(depot.pk, told_at=later), by=OFFICE, now=midnight)
    assert first is not None
    assert second is not None
    assert drain() == []

    first.refresh_from_db()
    assert (first.state, first.code) == (MessageState.WITHDRAWN, "overtaken")
    assert second.due_at == NOW.replace(hour=7)  # eight in Lauf


def test_queue_message_urgent_kinds_go_at_night() -> None:
    depot = DepotFactory()
    night = NOW.replace(hour=1)
    values = {"eta": "02:20"}

    queue_message(
        draft(depot.pk, kind="next_stop", reason="next/1", values=values),
        by=OFFICE,
        now=night,
    )
    drain()

    assert len(OUTBOX) == 1


def test_queue_message_keeps_quiet_about_what_is_switched_off() -> None:
    depot = DepotFactory()
    MessagePolicy.objects.create(
        depot=depot, kinds_off=["planned"], changed_at=NOON, changed_by="user:1"
    )

    assert queue_message(draft(depot.pk), by=OFFICE, now=NOON) is None
    assert not Message.objects.exists()


@pytest.mark.parametrize(
    ("to", "code"),
    [
        ({"phone": ""}, "no_address"),
        ({"phone": "+33612345678"}, "country"),
        ({"phone": "+49"}, "bad_number"),
    ],
)
def test_queue_message_shows_what_it_holds_back(to: dict[str, str], code: str) -> None:
    depot = DepotFactory()
    person = type(ANNA)(**{"phone": ANNA.phone, **to})

    row = queue_message(draft(depot.pk, to=person), by=OFFICE, now=NOON)
    drain()

    assert row is not None
    assert (row.state, row.code) == (MessageState.BLOCKED, code)
    assert row.detail
    assert not OUTBOX


def test_queue_message_takes_the_next_channel_where_the_first_may_not_be() -> None:
    depot = DepotFactory()
    person = type(ANNA)(phone="+33612345678", email="anna@example.com")

    row = queue_message(draft(depot.pk, to=person), by=OFFICE, now=NOON)

    assert row is not None
    assert (row.channel, row.address) == ("email", "anna@example.com")


@pytest.mark.parametrize(
    ("limit", "code", "phones"),
    [
        ("most_a_person", "rate_person", ["+4915112345678"] * 3),
        (
            "most_a_prefix",
            "rate_prefix",
            ["+4915112345001", "+4915112345002", "+4915112345999"],
        ),
        (
            "most_a_depot",
            "rate_depot",
            ["+4915112345001", "+4915112346002", "+4915112347999"],
        ),
    ],
)
@pytest.mark.parametrize("at_once", [True, False])
def test_queue_message_stops_a_pump(
    limit: str, code: str, phones: list[str], at_once: bool
) -> None:
    depot = DepotFactory()
    MessagePolicy.objects.create(
        depot=depot, changed_at=NOON, changed_by="user:1", **{limit: 2}
    )
    drafts = [
        draft(depot.pk, to=type(ANNA)(phone=phone), reason=f"planned/{number}")
        for number, phone in enumerate(phones)
    ]

    if at_once:
        rows = queue_messages(drafts, by=OFFICE, now=NOON)
    else:
        rows = [queue_message(one, by=OFFICE, now=NOON) for one in drafts]

    assert [row.code for row in rows if row] == ["", "", code]


def test_queue_message_asks_for_consent_by_purpose() -> None:
    depot = DepotFactory()
    offer = draft(depot.pk, kind="offer", reason="offer/1", values={"text": "Oh!"})
    asked = draft(depot.pk, kind="delivered", reason="delivered/1")

    row = queue_message(offer, by=OFFICE, now=NOON)
    assert row is not None
    assert row.code == "no_consent"
    assert queue_message(asked, by=OFFICE, now=NOON)

    record_consent(
        depot_id=depot.pk,
        address=ANNA.phone,
        purposes=["delivery"],
        is_given=False,
        source="office",
        by=OFFICE,
        now=NOON,
    )
    # Not by email either: who says no to one address means all.
    row = queue_message(draft(depot.pk), by=OFFICE, now=NOON)
    assert row is not None
    assert (row.state, row.code) == (MessageState.BLOCKED, "no_consent")
    assert queue_message(
        draft(depot.pk, kind="delivered", reason="delivered/2"), by=OFFICE, now=NOON
    )


def test_queue_message_says_the_depots_own_words() -> None:
    depot = DepotFactory()
    MessageTemplate.objects.create(
        depot=depot,
        kind="planned",
        language="de",
        text="Wir kommen {window}: {link} {name}",
        changed_at=NOON,
        changed_by="user:1",
    )

    row = queue_message(draft(depot.pk), by=OFFICE, now=NOON)

    assert row is not None
    assert row.text == f"Wir kommen Di 17.3. 10:00-12:00: {LINK}"
