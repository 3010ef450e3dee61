"""What tests of the pages share: a link, a visitor, and the forms of a page."""

import re
from typing import Any

from django.test import Client

from apps.core.actors import SYSTEM
from apps.customers.services import make_link
from apps.orders.models import Order
from tests.factories import NOW

FORM = re.compile(r'name="form" value="([^"]+)"')
HOLD = re.compile(r'name="hold" value="([^"]+)"')
SLOT = re.compile(r'name="slot" value="([^"]+)"')


def path_of(order: Order, purpose: str = "reschedule", **more: Any) -> str:
    """Make a link to an order, and return its path."""
    now = more.get("now", NOW)
    address = make_link(purpose=purpose, order_id=order.pk, by=SYSTEM, now=now)
    return "/" + address.split("/", 3)[3]


def send(client: Client, path: str, do: str, **fields: str) -> Any:
    """Press a button of a page, as a browser without scripts does."""
    page = client.get(path)
    token = FORM.search(page.content.decode())
    assert token is not None, page.content.decode()
    data = {"form": token[1], "do": do, **fields}
    return client.post(path, data, headers={"Sec-Fetch-Site": "same-origin"})


def slots_of(client: Client, path: str) -> list[str]:
    """Return the slots that a page offers."""
    return SLOT.findall(client.get(path).content.decode())
