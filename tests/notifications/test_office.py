"""The pages of messages: looked at, resent, written by the depot itself."""

import io

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from pytest_django import Settings

from apps.notifications.checks import providers_are_set
from apps.notifications.models import Consent, Message, MessagePolicy, MessageTemplate
from apps.notifications.services import queue_message
from apps.notifications.states import MessageState
from tests.factories import DepotFactory, MessageFactory
from tests.notifications.people import ANNA, NOON, OFFICE, draft
from tests.office import make_user, signed_in
from tests.queueing import drain

pytestmark = pytest.mark.django_db
ADMIN = "admin:notifications_"


def test_dead_message_is_sent_again_from_its_page() -> None:
    depot = DepotFactory()
    row = MessageFactory(depot=depot, state="dead", code="no_way_left", detail="No.")
    client = signed_in(make_user("Coordinator", depot))
    ask = reverse(f"{ADMIN}message_resend", args=[row.pk])

    page = client.get(reverse(f"{ADMIN}message_change", args=[row.pk]))
    assert ask in page.content.decode()
    assert "Send it" in client.get(ask).content.decode()
    assert Message.objects.get().state == MessageState.DEAD

    client.post(ask)

    sent = Message.objects.get()
    assert sent.state in {MessageState.QUEUED, MessageState.SENT}
    assert sent.resent_by.startswith("user:")


def test_phone_shows_what_the_person_reads() -> None:
    depot = DepotFactory(name="Lauf")
    row = queue_message(draft(depot.pk), by=OFFICE, now=NOON)
    assert row is not None
    drain()
    client = signed_in(make_user("Supervisor", depot))

    page = client.get(reverse(f"{ADMIN}message_phone", args=[row.pk]))

    assert "Verfolgen oder andere Zeit" in page.content.decode()


def test_policy_is_kept_by_its_verb_and_shows_every_text() -> None:
    depot = DepotFactory(name="Lauf")
    client = signed_in(make_user("Supervisor", depot))
    fields = {
        "depot": str(depot.pk),
        "sender": "Laufkurier",
        "language": "de",
        "channels": "sms, email",
        "kinds_off": ["delivered"],
        "kinds_urgent": ["late"],
        "quiet_from": "21:00",
        "quiet_until": "07:00",
        "eta_moved_min": "15",
        "on_the_way_min": "45",
        "late_min": "5",
        "countries": "de, at",
        "most_a_person": "5",
        "most_a_prefix": "50",
        "most_a_depot": "500",
    }

    wrong = client.post(
        reverse(f"{ADMIN}messagepolicy_add"), {**fields, "channels": "sms, pigeon"}
    )
    assert "known are sms" in wrong.content.decode()
    client.post(reverse(f"{ADMIN}messagepolicy_add"), fields)

    row = MessagePolicy.objects.get()
    assert (row.channels, row.countries) == (["sms", "email"], ["DE", "AT"])
    assert row.kinds_off == ["delivered"]
    change = reverse(f"{ADMIN}messagepolicy_change", args=[row.pk])
    page = client.get(change).content.decode()
    assert "Laufkurier: Lieferung Di 17.3. 10:00-12:00" in page
    assert "Laufkurier: entregado, gracias" in page
    client.post(change, {**fields, "late_min": "7", "read_version": "1"})
    row.refresh_from_db()
    assert (row.late_min, row.version) == (7, 2)
    stale = client.post(change, {**fields, "late_min": "9", "read_version": "1"})
    assert "Somebody has changed this meanwhile" in stale.content.decode()


def test_template_begins_with_the_first_text_and_is_checked() -> None:
    depot = DepotFactory(name="Lauf")
    client = signed_in(make_user("Supervisor", depot))
    add = reverse(f"{ADMIN}messagetemplate_add")
    asked = {"depot": str(depot.pk), "kind": "late", "language": "fr"}

    page = client.get(add, asked).content.decode()
    assert "nous avons du retard" in page
    assert "1 SMS part, GSM7" in page

    preview = client.get(
        reverse(f"{ADMIN}messagetemplate_preview"),
        {**asked, "text": "{sender}: ça tarde, {eta}"},
    ).content.decode()
    assert "Lauf: ça tarde, 10:15-10:45" in preview
    assert "UCS2" in preview
    assert "The text needs {link}." in preview

    refused = client.post(add, {**asked, "text": "{sender}: {eta}"}).content.decode()
    assert "The text needs {link}." in refused
    client.post(add, {**asked, "text": "{sender}: {eta} {link}"})
    row = MessageTemplate.objects.get()
    assert row.text == "{sender}: {eta} {link}"


def test_consent_told_to_the_office_is_kept() -> None:
    depot = DepotFactory()
    client = signed_in(make_user("Data steward", depot))
    row = queue_message(draft(depot.pk), by=OFFICE, now=NOON)
    assert row is not None

    client.post(
        reverse(f"{ADMIN}consent_add"),
        {"depot": str(depot.pk), "address": ANNA.phone, "purpose": "delivery"},
    )

    said = Consent.objects.get()
    assert (said.is_given, said.source) == (False, "office")
    row.refresh_from_db()
    assert row.state == MessageState.BLOCKED


def test_command_prints_the_life_of_an_order() -> None:
    queue_message(draft(DepotFactory().pk), by=OFFICE, now=NOON)
    drain()
    out = io.StringIO()

    call_command("messages", "R-1", stdout=out)

    assert "Delivery is planned  [Sent]  sms +4915112345678" in out.getvalue()
    assert "attempt 1 by memory: accepted" in out.getvalue()
    with pytest.raises(CommandError, match="Nothing was said about 'R-2'"):
        call_command("messages", "R-2")


def test_deploy_check_names_what_reaches_nobody(settings: Settings) -> None:
    settings.MESSAGE_PROVIDERS = {"sms": ["twilio"], "email": []}

    found = {said.id: said.hint for said in providers_are_set(None)}

    assert "EMAIL_VIA" in str(found["notifications.I001"])
    assert "twilio,gateway" in str(found["notifications.I002"])
    settings.MESSAGE_PROVIDERS = {"sms": ["twilio", "gateway"], "email": ["smtp"]}
    assert providers_are_set(None) == []
