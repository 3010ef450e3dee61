"""The real order and address files, through the mapping and not by reshaping them."""

from collections import Counter
from datetime import date
from itertools import chain

import pytest

from apps.core.actors import SYSTEM
from apps.depots.models import Depot
from apps.orders.drafts import ImportOptions
from apps.orders.models import Order
from apps.orders.services import import_addresses
from tests.factories import NOW, DepotFactory
from tests.orders.conftest import data_file
from tests.orders.importing import codes, import_file

pytestmark = pytest.mark.django_db


def _depot_at(lat: float, lon: float, time_zone: str, country: str) -> Depot:
    return DepotFactory(
        latitude=lat, longitude=lon, time_zone=time_zone, country=country
    )


def test_import_orders_takes_one_instance_of_loggibud() -> None:
    depot = _depot_at(-15.657014, -47.802665, "America/Sao_Paulo", "BR")
    content = data_file("orders/loggibud_12_instances.csv")
    options = ImportOptions(where=(("instance", "cvrp-0-df-0"),))
    run = import_file(depot, content, options=options)
    assert run.mapping == {
        "reference": "delivery_id",
        "lat": "lat",
        "lon": "lng",
        "pieces": "size",
    }
    assert (run.rows, run.created, run.quarantined) == (1037, 1019, 18)
    assert set(chain.from_iterable(codes(run).values())) == {"duplicate_reference"}
    assert import_file(depot, content, options=options).unchanged == 1019


def test_import_orders_takes_a_citys_day_of_lade_with_its_windows() -> None:
    depot = _depot_at(31.2, 121.5, "Asia/Shanghai", "CN")
    content = data_file("orders/lade_pickup_5cities_6190.csv")
    options = ImportOptions(where=(("ds", "607"), ("source_city", "shanghai")))
    run = import_file(depot, content, service_date=date(2022, 6, 7), options=options)
    assert (run.rows, run.created) == (1285, 1285)
    days = Counter(Order.objects.values_list("service_date", flat=True))
    assert days.most_common(1)[0][0] == date(2022, 6, 7)
    assert not Order.objects.filter(windows=None).exists()


def test_import_orders_takes_all_of_lade_when_the_depot_serves_a_fifth() -> None:
    depot = _depot_at(31.2, 121.5, "Asia/Shanghai", "CN")
    content = data_file("orders/lade_pickup_5cities_6190.csv")
    run = import_file(depot, content, service_date=date(2022, 6, 7))
    assert run.rows == 6190
    assert run.created + run.quarantined == 6190
    assert set(chain.from_iterable(codes(run).values())) == {"far_from_depot"}


@pytest.mark.parametrize(
    ("name", "lat", "lon", "rows"),
    [
        ("addresses/lauf.csv", 49.51, 11.28, 5131),
        ("addresses/liechtenstein.csv", 47.14, 9.52, 3374),
    ],
)
def test_import_addresses_makes_a_gazetteer_that_finds_its_own(
    name: str, lat: float, lon: float, rows: int
) -> None:
    depot = _depot_at(lat, lon, "Europe/Berlin", "DE")
    content = data_file(name)
    found = import_addresses(depot_id=depot.pk, content=content, by=SYSTEM, now=NOW)
    assert found.rows == rows
    assert found.added > 0.9 * rows
    again = import_addresses(depot_id=depot.pk, content=content, by=SYSTEM, now=NOW)
    assert again.added == 0
    lines = content.decode().splitlines()
    header = "reference,lat,lon,street,housenumber,postcode,city"
    text = [header]
    for number, line in enumerate(lines[1:400]):
        cells = line.split(",")
        if '"' not in line:
            text.append(",".join([str(number), "", "", *cells[2:6]]))
    run = import_file(depot, "\n".join(text))
    assert run.created > 0.97 * run.rows, codes(run)
