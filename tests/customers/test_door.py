"""The anonymous door: what it tells, what it hides, and whom it turns away."""

from datetime import UTC, datetime, time, timedelta
from io import BytesIO

import pytest
import time_machine
from django.test import Client
from PIL import Image

from apps.core.units import epoch_ms
from apps.customers import guards
from apps.customers.codes import new_code
from apps.customers.models import CustomerPage, Inquiry, Link
from apps.customers.selectors import customers_day, where_is
from apps.customers.services import revoke_links
from apps.customers.services.pages import small_logo
from apps.drivers.models import Position
from apps.feedback.models import Response
from apps.orders.models import Order
from apps.orders.states import OrderState
from apps.routes.models import Route, Stop
from apps.routes.states import StopState
from tests.customers.pages import path_of, send
from tests.factories import (
    NOW,
    SERVICE_DATE,
    CustomerFactory,
    DeviceFactory,
    OrderFactory,
    TimeWindowFactory,
)
from tests.queueing import drain
from tests.routes.days import OFFICE, begin, make_day, publish_day, report, sequence

pytestmark = pytest.mark.django_db

PAGES = ("reschedule", "tracking", "survey")
HIDDEN = {
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    "Cache-Control": "no-store",
    "X-Frame-Options": "DENY",
}


@pytest.mark.parametrize("purpose", PAGES)
def test_page_hides_itself_and_looking_changes_nothing(purpose: str) -> None:
    order = OrderFactory(customer=CustomerFactory(name="Frau Muster", phone="+4912"))
    path = path_of(order, purpose)
    link = Link.objects.values().get()
    with time_machine.travel(NOW, tick=False):
        for asked in (Client().get, Client().head):
            answer = asked(path)
            assert answer.status_code == 200
            assert {name: answer[name] for name in HIDDEN} == HIDDEN
            policy = answer["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "frame-ancestors 'none'" in policy
            assert "unsafe" not in policy
            text = answer.content.decode()
            assert "Muster" not in text
            assert " style=" not in text
            assert "<script>" not in text
    assert Link.objects.values().get() == link
    assert not Inquiry.objects.exists()


def test_link_opens_one_purpose_and_ends() -> None:
    order = OrderFactory()
    path = path_of(order, "tracking")
    client = Client()
    with time_machine.travel(NOW, tick=False):
        assert client.get(path.replace("/t/", "/r/")).status_code == 404
        assert client.get(path + "0").status_code == 404
    with time_machine.travel(NOW + timedelta(days=9), tick=False):
        assert client.get(path).status_code == 410
    revoke_links(order_id=order.pk, by=OFFICE, now=NOW)
    with time_machine.travel(NOW, tick=False):
        answer = client.get(path, headers={"Accept-Language": "es"})
    assert answer.status_code == 410
    assert "ya no es válido" in answer.content.decode()


def test_guessing_finds_nothing_and_is_locked_out() -> None:
    paths = [path_of(OrderFactory(), "tracking") for _ in range(5)]
    client = Client()
    with time_machine.travel(NOW, tick=False):
        found = [client.get(f"/t/{new_code()}").status_code for _ in range(200)]
        locked = client.get(paths[0])
        elsewhere = Client(REMOTE_ADDR="198.51.100.7").get(paths[0])
    assert set(found) == {404, 429}
    assert found.count(404) == guards.MOST_MISSES
    assert found[guards.MOST_MISSES :] == [429] * (200 - guards.MOST_MISSES)
    assert (locked.status_code, locked["Retry-After"]) == (429, "900")
    assert elsewhere.status_code == 200


def test_link_that_a_machine_asks_is_throttled() -> None:
    path = path_of(OrderFactory(), "tracking")
    with time_machine.travel(NOW, tick=False):
        seen = [
            Client(REMOTE_ADDR=f"198.51.100.{n}").get(path).status_code
            for n in range(45)
        ]
    assert seen == [200] * 40 + [429] * 5


def test_form_of_another_page_is_refused() -> None:
    order, other = OrderFactory(), OrderFactory()
    path, foreign = path_of(order, "tracking"), path_of(other, "tracking")
    with time_machine.travel(NOW, tick=False):
        client = Client()
        assert client.post(path, {}).status_code == 403
        page = client.get(foreign).content.decode()
        token = page.split('name="form" value="')[1].split('"')[0]
        assert client.post(path, {"form": token}).status_code == 403
        across = {"Sec-Fetch-Site": "cross-site"}
        own = client.get(path).content.decode()
        token = own.split('name="form" value="')[1].split('"')[0]
        refused = client.post(path, {"form": token}, headers=across)
        assert refused.status_code == 403
        answer = client.post(path, {"form": token, "next": "https://evil.example"})
        assert (answer.status_code, answer["Location"]) == (302, path)
    assert Inquiry.objects.count() == 1


def test_tracking_tells_the_place_only_when_the_van_is_near() -> None:
    depot = make_day(orders=6, shifts=1)
    publish_day(depot)
    route = Route.objects.get(depot=depot)
    start = NOW + timedelta(hours=1)
    with time_machine.travel(start, tick=False):
        begin(route.shift, start)
        drain()
    stops = sequence(route)
    for number, stop in enumerate(stops):
        Stop.objects.filter(pk=stop.pk).update(
            eta_at=start + timedelta(minutes=30 * (number + 1))
        )
    device = DeviceFactory(driver=route.driver, depot=depot)
    Position.objects.create(
        driver=route.driver,
        device=device,
        boot_key=1,
        mono_ms=1,
        occurred_ms=epoch_ms(start),
        lat_e6=49_540_000,
        lon_e6=11_282_300,
    )
    far, near = (where_is(stops[n].order_id, now=start) for n in (5, 2))
    assert (far.status, far.bearing_deg, far.stops_before) == ("out", None, None)
    assert far.away_m is not None
    assert far.away_m % 1000 == 0
    assert (near.status, near.stops_before) == ("near", 2)
    assert near.bearing_deg is not None
    CustomerPage.objects.create(depot=depot, near_stops=1, near_minutes=5)
    assert where_is(stops[2].order_id, now=start).bearing_deg is None
    with time_machine.travel(start, tick=False):
        client, path = Client(), path_of(stops[0].order, "tracking", now=start)
        live = client.get(f"{path}/now").json()
        assert "The van is about" in live["html"]
        assert live["again_s"] == 20
    done_at = start + timedelta(minutes=5)
    report(stops[0], "stop.succeeded", done_at)
    with time_machine.travel(done_at, tick=False):
        over = client.get(f"{path}/now").json()
    assert over["again_s"] == 0
    assert "Delivered" in over["html"]
    assert "van" not in over["html"]


def test_question_is_counted_once_and_told_per_100_orders() -> None:
    order, _ = OrderFactory(), OrderFactory()
    Order.objects.update(depot=order.depot)
    path, client = path_of(order, "tracking"), Client()
    with time_machine.travel(NOW, tick=False) as traveller:
        for _ in range(2):
            assert send(client, path, "").status_code == 302
        traveller.shift(timedelta(minutes=11))
        send(client, path, "")
    asked = customers_day(order.depot_id, SERVICE_DATE)
    assert (asked.orders, asked.asked_on_page, asked.asked_by_reply) == (2, 2, 0)
    assert asked.asked_per_100 == 100.0


def test_survey_counts_once_and_a_link_may_bring_the_first_answer() -> None:
    order = OrderFactory(customer=CustomerFactory(language="fr"))
    path, client = path_of(order, "survey"), Client()
    with time_machine.travel(NOW, tick=False):
        page = client.get(f"{path}?q_csat=5").content.decode()
        assert 'value="5" checked' in page
        assert "satisfait" in page
        assert send(client, path, "", q_nps="9").status_code == 400
        sent = {"q_csat": "5", "q_nps": "9", "q_words": "Merci"}
        assert send(client, path, "", **sent).status_code == 302
        assert "Merci" in client.get(path).content.decode()
    row = Response.objects.get()
    assert row.answers == {"csat": 5, "nps": 9, "words": "Merci"}
    assert (row.order, row.role, row.language) == (order, "customer", "fr")
    assert Link.objects.get().used_at is not None


def test_logo_is_made_small_and_is_served() -> None:
    held = BytesIO()
    Image.new("RGB", (2000, 900), "#7a3b0f").save(held, "JPEG")
    order = OrderFactory()
    CustomerPage.objects.create(
        depot=order.depot, colour="#ffd500", logo=small_logo(held.getvalue())
    )
    client = Client()
    picture = client.get(f"/look/{order.depot_id}.png")
    assert picture["Content-Type"] == "image/png"
    assert len(picture.content) < 16_000
    style = client.get(f"/look/{order.depot_id}.css").content.decode()
    assert style == ":root{--brand:#ffd500;--ink:#111111}"


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "Tuesday, 17 March"),
        ("de", "Dienstag, 17. März"),
        ("fr", "mardi 17 mars"),
        ("es", "martes, 17 de marzo"),
    ],
)
def test_page_says_what_failed_and_the_day_as_people_say_it(
    language: str, said: str
) -> None:
    order = OrderFactory(status=OrderState.FAILED)
    Stop.objects.create(order=order, status=StopState.FAILED, service_s=60)
    with time_machine.travel(NOW, tick=False):
        page = Client().get(f"{path_of(order, 'reschedule')}?lang={language}")

    text = page.content.decode()
    assert said.casefold() in text.casefold()
    assert ("We could not deliver" in text) is (language == "en")


@pytest.mark.parametrize(
    ("opens", "closes", "language", "said"),
    [
        (9, 11, "en", "10:00–12:00"),
        (-1, 17, "en", "until 18:00"),
        (-1, 17, "de", "bis 18:00"),
        (13, 23, "fr", "après 14:00"),
    ],
)
def test_page_says_a_window_as_the_message_does(
    opens: int, closes: int, language: str, said: str
) -> None:
    midnight = datetime.combine(SERVICE_DATE, time(), tzinfo=UTC)
    order = OrderFactory(depot__time_zone="Europe/Berlin")
    TimeWindowFactory(
        order=order,
        opens_at=midnight + timedelta(hours=opens),
        closes_at=midnight + timedelta(hours=closes),
    )
    with time_machine.travel(NOW, tick=False):
        page = Client().get(f"{path_of(order, 'reschedule')}?lang={language}")

    assert f'<span class="hours">{said}</span>' in page.content.decode()
