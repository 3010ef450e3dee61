"""What a page asks of the database does not grow with the rows that it shows."""

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.depots.models import Depot
from tests.bench._admin_pages import pages
from tests.bench._bulk_day import BulkDay, lay_out
from tests.factories import (
    SERVICE_DATE,
    DepotFactory,
    DepotMembershipFactory,
    UserFactory,
)
from tests.office import signed_in

pytestmark = pytest.mark.django_db

FEW, MANY = 30, 260
"""Orders of a day on one route, and of one on three."""
MOST_LIST, MOST_ROW, MOST_BOARD = 16, 20, 36
LOOKED_AT = {"routes.route", "routes.plan", "orders.order", "drivers.shift"}
"""Pages of rows that show more rows; of others the lists alone are asked."""


def somebody(depot: Depot) -> User:
    """Return somebody who may see all of one depot, and nothing of another."""
    user: User = UserFactory(is_staff=True)
    user.user_permissions.set(Permission.objects.all())
    DepotMembershipFactory(depot=depot, user=user)
    return user


def queries(client: Client, url: str) -> int:
    client.get(url)  # what is kept for a while is looked up now
    with CaptureQueriesContext(connection) as asked:
        assert client.get(url).status_code == 200, url
    return len(asked)


def costs(laid: BulkDay) -> dict[str, int]:
    user = somebody(laid.depot)
    client = signed_in(user)
    return {
        name: queries(client, url)
        for name, url in pages(laid.depot, laid.day, user)
        if name.endswith(("board", "panel", "list")) or name.split()[0] in LOOKED_AT
    }


def test_queries_do_not_grow_with_the_rows() -> None:
    small = costs(lay_out(DepotFactory(), SERVICE_DATE, orders=FEW))
    large = costs(lay_out(DepotFactory(), SERVICE_DATE, orders=MANY))
    assert {name: count for name, count in large.items() if count > small[name]} == {}
    for name, count in large.items():
        most = MOST_LIST if name.endswith("list") else MOST_ROW
        most = MOST_BOARD if name.startswith("board") else most
        assert count <= most, f"{name}: {count} queries"
