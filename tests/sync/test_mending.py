"""The quarantine: mended and applied as a new event, or dismissed with a reason."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from apps.core import clock
from apps.core.actors import Actor
from apps.core.problems import Invalid, NotFound
from apps.core.roles import DATA_STEWARD, SUPERVISOR
from apps.drivers.services import revoke_device
from apps.journal.models import Entry
from apps.routes.models import Stop
from apps.sync import handlers
from apps.sync.forms import shape_of
from apps.sync.models import DeviceEvent, QuarantinedEvent
from apps.sync.services.mending import (
    Mended,
    SettledAlready,
    dismiss_event,
    mend_event,
)
from tests.factories import DepotMembershipFactory, UserFactory
from tests.sync.builders import Day, Handheld, enrol, give_stop, publish_day

pytestmark = pytest.mark.django_db

BY = Actor("user", "1")


def set_aside(**payload: Any) -> tuple[Day, Handheld, QuarantinedEvent]:
    """Have a report refused for its payload, made ten minutes ago."""
    day = publish_day(now=clock.now() - timedelta(hours=1))
    device = enrol(day.driver)
    event = device.event("stop.failed", day.stops[0], **payload)
    device.push(event)
    return day, device, QuarantinedEvent.objects.get()


def mend(aside: QuarantinedEvent, mended: Mended) -> DeviceEvent:
    return mend_event(quarantined_id=aside.pk, mended=mended, by=BY, now=clock.now())


def test_mend_applies_a_new_event_that_names_the_old_one() -> None:
    day, device, aside = set_aside(reason="dog")
    stop_id = str(day.stops[0].pk)
    event = mend(aside, Mended("stop.failed", stop_id, {"reason": "no_access"}))
    assert (event.result, event.code) == ("applied", "ok")
    assert (event.corrects, event.driver_id) == (aside.event_id, day.driver.pk)
    first = DeviceEvent.objects.get(pk=aside.event_id)
    assert event.occurred_at == first.occurred_at
    assert (first.result, first.payload) == ("rejected", {})
    stop = Stop.objects.get(pk=day.stops[0].pk)
    assert (stop.status, stop.reason) == ("failed", "no_access")
    assert stop.completed_at == first.occurred_at
    device.pull()
    shown = device.tables["event_results"][event.pk]
    assert (shown["result"], shown["corrects"]) == ("applied", aside.event_id)
    aside.refresh_from_db()
    assert (aside.state, aside.settled_by) == ("applied", str(BY))
    assert aside.mended_event_id == event.pk
    told = Entry.objects.get(kind="event.mended")
    assert told.actor == str(BY)
    assert told.payload["corrects"] == aside.event_id


@pytest.mark.parametrize(
    ("mended", "pointer"),
    [
        (Mended("stop.failed", "STOP", {"reason": "dog"}), "/payload"),
        (Mended("stop.flown", "STOP", {}), "/payload"),
        (Mended("stop.failed", "", {"reason": "other"}), "/stop_id"),
        (Mended("stop.failed", str(uuid.UUID(int=7)), {"reason": "other"}), ""),
        (Mended("stop.reopened", "STOP", {}), ""),
    ],
)
def test_mend_refuses_what_would_be_refused_again(mended: Mended, pointer: str) -> None:
    day, _, aside = set_aside(reason="dog")
    stop_id = mended.stop_id.replace("STOP", str(day.stops[0].pk))
    with pytest.raises(Invalid) as refused:
        mend(aside, Mended(mended.kind, stop_id, mended.payload))
    assert [error.pointer for error in refused.value.errors] == [pointer] * bool(
        pointer
    )
    aside.refresh_from_db()
    assert aside.state == "open"
    assert DeviceEvent.objects.count() == 1
    assert Stop.objects.get(pk=day.stops[0].pk).status == "pending"


def test_mend_is_done_once() -> None:
    day, _, aside = set_aside(reason="dog")
    good = Mended("stop.failed", str(day.stops[0].pk), {"reason": "other"})
    mend(aside, good)
    with pytest.raises(SettledAlready):
        mend(aside, good)
    with pytest.raises(SettledAlready):
        dismiss_event(quarantined_id=aside.pk, reason="x", by=BY, now=clock.now())
    assert DeviceEvent.objects.count() == 2
    aside.pk = uuid.UUID(int=1)
    with pytest.raises(NotFound):
        mend(aside, good)


def test_mend_a_body_that_was_no_event_at_all() -> None:
    day = publish_day()
    device = enrol(day.driver)
    device.push([])  # type: ignore[arg-type]
    aside = QuarantinedEvent.objects.get()
    event = mend(aside, Mended("stop.note", str(day.stops[0].pk), {"note": "Bell"}))
    assert (event.result, event.corrects, event.seq) == ("applied", "", 0)
    assert event.occurred_at == aside.received_at


def test_mend_applies_what_came_from_a_revoked_device() -> None:
    day = publish_day()
    device = enrol(day.driver)
    revoke_device(device_id=device.device_id, action="wipe", by=BY, now=clock.now())
    event = device.event("stop.succeeded", day.stops[0])
    device.push_raw({"changes": {"events": {"created": [event]}}})
    aside = QuarantinedEvent.objects.get()
    done = mend(aside, Mended("stop.succeeded", str(day.stops[0].pk), {}))
    assert (done.result, done.corrects) == ("applied", event["id"])


def test_mend_keeps_the_body_open_when_something_breaks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    day, _, aside = set_aside(reason="dog")

    def broken(report: handlers.Report, journal: Any) -> Any:
        raise RuntimeError

    table = {**handlers.HANDLERS, "stop.note": broken}
    monkeypatch.setattr(handlers, "HANDLERS", table)
    with pytest.raises(Invalid):
        mend(aside, Mended("stop.note", str(day.stops[0].pk), {"note": "x"}))
    aside.refresh_from_db()
    assert aside.state == "open"


@pytest.mark.parametrize(
    ("language", "mended", "dismissed"),
    [
        ("en", "The office has mended", "lets it rest: A {test}"),
        ("de", "Das Büro hat diese Meldung berichtigt", "lässt sie ruhen: A {test}"),
        ("es", "La oficina ha corregido", "lo deja estar: A {test}"),
        ("fr", "Le bureau a corrigé", "en reste là : A {test}"),
    ],
)
def test_driver_hears_what_the_office_made_of_a_report(
    language: str, mended: str, dismissed: str
) -> None:
    day, device, aside = set_aside(reason="dog")
    day.driver.language = language
    day.driver.save()
    second = device.event("stop.failed", day.stops[1], reason="cat")
    device.push(second)
    event = mend(
        aside, Mended("stop.failed", str(day.stops[0].pk), {"reason": "other"})
    )
    other = QuarantinedEvent.objects.get(event_id=second["id"])
    dismiss_event(quarantined_id=other.pk, reason="A {test}", by=BY, now=clock.now())
    device.pull()
    rows = device.tables["event_results"]
    shown = rows[event.pk]
    assert (shown["rule"], shown["winner"]) == ("mended", "office")
    assert shown["detail"].startswith(mended)
    [rest] = [row for row in rows.values() if row["corrects"] == second["id"]]
    assert (rest["result"], rest["code"], rest["rule"]) == (
        "rejected",
        "dismissed",
        "dismissed",
    )
    assert (rest["kind"], rest["stop_id"]) == ("stop.failed", str(day.stops[1].pk))
    assert rest["detail"].endswith(dismissed)
    assert rest["advice"]
    assert rows[second["id"]]["rule"] == "not_possible"
    assert rows == device.snapshot()["event_results"]


def test_driver_hears_of_a_dismissed_body_whose_id_is_another_events() -> None:
    day = publish_day()
    device = enrol(day.driver)
    good = device.event("stop.arrived", day.stops[0])
    device.push(good)
    device.push(good | {"kind": "stop.succeeded"})
    aside = QuarantinedEvent.objects.get()
    dismiss_event(quarantined_id=aside.pk, reason="Double", by=BY, now=clock.now())
    device.pull()
    rows = device.tables["event_results"]
    assert rows[good["id"]]["result"] == "applied"
    [rest] = [row for row in rows.values() if row["corrects"] == good["id"]]
    assert (rest["code"], rest["kind"]) == ("dismissed", "stop.succeeded")


def test_dismiss_needs_a_reason_and_keeps_the_body() -> None:
    _, _, aside = set_aside(reason="dog")
    with pytest.raises(Invalid):
        dismiss_event(quarantined_id=aside.pk, reason="  ", by=BY, now=clock.now())
    dismiss_event(quarantined_id=aside.pk, reason="A test", by=BY, now=clock.now())
    aside.refresh_from_db()
    assert (aside.state, aside.reason) == ("dismissed", "A test")
    assert Entry.objects.filter(kind="event.dismissed", actor=str(BY)).count() == 1
    with pytest.raises(NotFound):
        dismiss_event(
            quarantined_id=uuid.UUID(int=1), reason="x", by=BY, now=clock.now()
        )


def client_of(role: str, day: Day) -> Client:
    user = UserFactory(is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    DepotMembershipFactory(user=user, depot=day.route.depot)
    client = Client()
    client.force_login(user)
    return client


def test_page_mends_with_clear_errors_first() -> None:
    day, _, aside = set_aside(reason="dog", note="Bites")
    client = client_of(SUPERVISOR, day)
    row = reverse("admin:sync_quarantinedevent_change", args=[aside.pk])
    page = reverse("admin:sync_quarantinedevent_mend", args=[aside.pk])
    assert page in client.get(row).content.decode()
    shown = client.get(page).content.decode()
    assert "&quot;note&quot;: &quot;Bites&quot;" in shown
    assert "no_access" in shown
    assert "stop.failed (not delivered)" in shown
    for stop in day.stops:
        assert f'<option value="{stop.pk}"' in shown
        assert stop.order.reference in shown
    assert f'<option value="{day.stops[0].pk}" selected' in shown
    form = {"kind": "stop.failed", "stop_id": str(day.stops[0].pk)}
    refused = client.post(page, form | {"payload": "{"}).content.decode()
    assert "This is no JSON" in refused
    refused = client.post(page, form | {"payload": "[]"}).content.decode()
    assert "It must be a JSON object" in refused
    refused = client.post(
        page, form | {"payload": '{"reason": "cat"}'}
    ).content.decode()
    assert "Invalid enum value" in refused
    foreign = form | {"stop_id": "x", "payload": '{"reason": "other"}'}
    assert "never yours" in client.post(page, foreign).content.decode()
    done = client.post(page, form | {"payload": '{"reason": "no_access"}'}, follow=True)
    assert "Applied: applied (ok)." in done.content.decode()
    assert page not in done.content.decode()
    assert "Mended and applied" in done.content.decode()
    aside.refresh_from_db()
    user = User.objects.get(pk=aside.settled_by.removeprefix("user:"))
    assert (user.get_full_name() or user.username) in done.content.decode()
    assert aside.settled_by not in done.content.decode()
    assert "(&#x27;applied" not in done.content.decode()
    again = client.get(page, follow=True).content.decode()
    assert "settled this report already" in again


def test_page_offers_the_stops_that_the_driver_had_and_names_a_foreign_one() -> None:
    day = publish_day()
    other = publish_day(depot=day.route.depot)
    give_stop(day.stops[0].pk, day, other, clock.now())
    device = enrol(day.driver)
    foreign = str(other.stops[1].pk)
    device.push(device.event("stop.failed", foreign, reason="dog"))
    aside = QuarantinedEvent.objects.get()
    page = reverse("admin:sync_quarantinedevent_mend", args=[aside.pk])
    shown = client_of(SUPERVISOR, day).get(page).content.decode()
    assert f'<option value="{day.stops[0].pk}"' in shown, "it was the driver's once"
    assert f"Never this driver&#x27;s: {foreign}" in shown
    assert f'<option value="{other.stops[2].pk}"' not in shown


def test_page_dismisses_with_a_reason() -> None:
    day, _, aside = set_aside(reason="dog")
    client = client_of(SUPERVISOR, day)
    page = reverse("admin:sync_quarantinedevent_dismiss", args=[aside.pk])
    assert "Say why" not in client.get(page).content.decode()
    assert client.post(page, {"reason": ""}).status_code == 200
    done = client.post(page, {"reason": "Double"}, follow=True).content.decode()
    assert "The report is dismissed." in done
    aside.refresh_from_db()
    assert aside.reason == "Double"


def test_page_of_another_depot_or_role_is_closed() -> None:
    day, _, aside = set_aside(reason="dog")
    page = reverse("admin:sync_quarantinedevent_mend", args=[aside.pk])
    assert client_of(SUPERVISOR, publish_day()).get(page).status_code == 404
    steward = client_of(DATA_STEWARD, day)
    assert steward.get(page).status_code == 403
    row = reverse("admin:sync_quarantinedevent_change", args=[aside.pk])
    assert page not in steward.get(row).content.decode()


def test_shape_of_says_what_a_kind_needs() -> None:
    fields = {name: (words, needed) for name, words, needed in shape_of("stop.failed")}
    assert fields["reason"][1]
    assert "no_access" in fields["reason"][0]
    assert fields["lat"] == ("number", False)
    assert shape_of("stop.flown") == []
