"""Files into orders: what comes in, what is kept back, what a second time does."""

import csv
import io
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.core.actors import SYSTEM
from apps.core.units import Point
from apps.depots.models import Depot
from apps.journal.models import Entry
from apps.orders.drafts import ImportOptions, OrderChanges
from apps.orders.imports.tables import UnreadableFile
from apps.orders.models import ImportRun, Order
from apps.orders.selectors import quarantine_of
from apps.orders.services import (
    change_order,
    files,
    import_orders,
    receive_file,
    set_outcome,
)
from apps.orders.services.storing import Sorted, sort_incoming
from apps.orders.states import ImportState, OrderState
from tests.factories import NOW, SERVICE_DATE, AddressFactory, ZoneFactory
from tests.orders.importing import codes, import_file

pytestmark = pytest.mark.django_db

GOOD = "order_id,lat,lng,weight (kg),name,phone\nA1,49.51,11.28,2.5,Ada,09123 123456\n"


def test_import_orders_good_row_becomes_an_order_with_all_it_says(depot: Depot) -> None:
    zone = ZoneFactory(depot=depot)
    run = import_file(
        depot,
        "Auftragsnr;Empfänger;Straße;Hausnr;PLZ;Ort;Breitengrad;Längengrad;"
        "Zeitfenster;Gewicht (kg);Volumen (l);Anzahl;Servicezeit (min);Priorität;"
        "Telefon;Hinweis;Anforderungen;Nachweis\n"
        'B-7;"Müller, Jörg";Marktplatz;24;91207;Lauf;49,512565;11,282289;'
        "08:00-10:00; 14:00-16:00".replace("; 14", " | 14")
        + ";1.234,5;0,75;3;5;hoch;09123/12345;2. Stock;kühlung, lift;Unterschrift\n",
    )
    assert codes(run) == {}
    order = Order.objects.get(reference="B-7")
    assert order.point == Point(49.512565, 11.282289)
    assert (order.load_g, order.load_ml, order.pieces) == (1_234_500, 750, 3)
    assert (order.service_s, order.priority) == (300, 4)
    assert order.customer is not None
    assert order.customer.name == "Müller, Jörg"
    assert order.customer.phone == "+49912312345"
    assert order.requires == ["kuhlung", "lift"]
    assert order.proof == ["signature"]
    assert order.zone == zone
    assert [(w.opens_at, w.closes_at) for w in order.windows.all()] == [
        (_at(7), _at(9)),
        (_at(13), _at(15)),
    ]


def _at(hour: int) -> datetime:
    return datetime(2026, 3, 17, hour, tzinfo=UTC)


def test_import_orders_same_file_twice_changes_nothing(depot: Depot) -> None:
    first = import_file(depot, GOOD)
    before = list(Order.objects.values())
    second = import_file(depot, GOOD)
    assert (first.created, first.unchanged) == (1, 0)
    assert (second.created, second.updated, second.unchanged) == (0, 0, 1)
    assert list(Order.objects.values()) == before


def test_import_orders_changed_row_updates_the_open_order(depot: Depot) -> None:
    import_file(depot, GOOD)
    run = import_file(depot, GOOD.replace("2.5", "3.5"))
    order = Order.objects.get()
    assert (run.updated, order.version, order.load_g) == (1, 2, 3500)
    entry = Entry.objects.get(kind="order.changed")
    assert entry.payload == {
        "order_id": str(order.pk),
        "service_date": SERVICE_DATE.isoformat(),
    }


def test_import_orders_repeated_file_keeps_the_offices_correction(depot: Depot) -> None:
    import_file(depot, GOOD)
    order = Order.objects.get()
    change_order(
        order_id=order.pk,
        expected_version=1,
        changes=OrderChanges.of(pieces=4),
        by=SYSTEM,
        now=NOW,
    )
    assert import_file(depot, GOOD).unchanged == 1
    order.refresh_from_db()
    assert order.pieces == 4


def test_import_orders_delivered_order_is_not_changed(depot: Depot) -> None:
    import_file(depot, GOOD)
    order = Order.objects.get()
    set_outcome(order_id=order.pk, status=OrderState.DELIVERED, by=SYSTEM, now=NOW)
    run = import_file(depot, GOOD.replace("2.5", "9"))
    assert codes(run) == {2: ["duplicate_reference"]}
    order.refresh_from_db()
    assert order.load_g == 2500


def test_import_orders_records_one_fact_a_run(depot: Depot) -> None:
    run = import_file(depot, GOOD + "A2,49.51,11.29,1,Bob,\n")
    entry = Entry.objects.get(kind="orders.imported")
    assert entry.depot_id == depot.pk
    assert entry.payload == {
        "run_id": str(run.pk),
        "service_dates": ["2026-03-17"],
        "created": 2,
        "updated": 0,
    }


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ("X,,,,,,,,", ["no_location"]),
        ("X,,,Nirgendsweg 7,,,,,", ["no_location"]),
        ("X,91,11.28,,,,,,", ["bad_coordinates"]),
        ("X,0,0,,,,,,", ["bad_coordinates"]),
        ("X,49.5,,,,,,,", ["bad_coordinates"]),
        ("X,north,11,,,,,,", ["bad_coordinates"]),
        ("X,11.28,49.51,,,,,,", ["far_from_depot"]),
        ("X,49.51,11.28,,10:00,08:00,,,", ["window_inverted"]),
        ("X,49.51,11.28,,10:00,10:00,,,", ["window_inverted"]),
        ("X,49.51,11.28,,morning,12:00,,,", ["bad_time"]),
        ("X,49.51,11.28,,,,-2,,", ["negative_weight"]),
        ("X,49.51,11.28,,,,heavy,,", ["bad_number"]),
        ("X,49.51,11.28,,,,3 miles,,", ["bad_number"]),
        ("X,49.51,11.28,,,,,berlin,", ["unknown_depot"]),
        ("X,49.51,11.28,,,,,,12", ["bad_phone"]),
        (",49.51,11.28,,,,,,", ["missing_reference"]),
        (f"{'x' * 81},49.51,11.28,,,,,,", ["too_long"]),
        ("X,49.51,11.28,,,,,,,over", ["too_many_cells"]),
        (
            "X,,,,10:00,09:00,-1,berlin,12",
            [
                "unknown_depot",
                "no_location",
                "negative_weight",
                "bad_phone",
                "window_inverted",
            ],
        ),
    ],
)
def test_import_orders_bad_row_is_quarantined_with_every_fault(
    depot: Depot, row: str, expected: list[str]
) -> None:
    AddressFactory(depot=depot)
    header = "order,lat,lon,address,earliest,latest,weight,depot,phone\n"
    run = import_file(depot, header + row + "\nGOOD,49.51,11.28,,,,,,\n")
    assert codes(run) == {2: expected}
    assert (run.created, run.quarantined) == (1, 1)
    for fault in quarantine_of(run)[0].faults:
        assert fault["detail"].endswith(".")
        assert fault["column"] in {*header.strip().split(","), ""}


def test_import_orders_duplicate_in_the_file_keeps_the_first(depot: Depot) -> None:
    run = import_file(
        depot, "id,lat,lon\nA,49.51,11.28\nB,49.51,11.28\nA,49.52,11.29\n"
    )
    assert codes(run) == {4: ["duplicate_reference"]}
    assert "Line 2" in quarantine_of(run)[0].faults[0]["detail"]
    assert Order.objects.get(reference="A").latitude == 49.51


def test_import_orders_line_is_that_of_the_file_in_quoted_csv(depot: Depot) -> None:
    text = (
        'id,lat,lon,notes\nA,49.51,11.28,"two\nlines"\n\nB,99,11.28,"x\ny"\nC,99,11,\n'
    )
    assert list(codes(import_file(depot, text))) == [5, 7]


def test_import_orders_address_is_found_in_the_gazetteer(depot: Depot) -> None:
    AddressFactory(
        depot=depot, match_key="saarstrasse 9", latitude=49.5125, longitude=11.2798
    )
    text = 'order,address\nA,"Saarstr. 9, 91207 Lauf"\nB,"Saarsrtaße 9, 91207 Lauf"\n'
    run = import_file(depot, text)
    assert codes(run) == {}
    exact, near = Order.objects.order_by("reference")
    assert (exact.location_source, exact.location_confidence) == ("gazetteer", 1.0)
    assert near.point == exact.point
    assert 0.85 < near.location_confidence < 1


def test_import_orders_without_reference_column_says_what_is_needed(
    depot: Depot,
) -> None:
    with pytest.raises(UnreadableFile, match="--make-references") as caught:
        import_file(depot, "lat,lon,colour\n49.51,11.28,red\n")
    assert "lat, lon, colour" in caught.value.detail
    run = ImportRun.objects.get()
    assert (run.state, run.headers) == (ImportState.REFUSED, ["lat", "lon", "colour"])


def test_import_orders_made_references_are_the_same_again(depot: Depot) -> None:
    options = ImportOptions(make_references=True)
    text = "street,housenumber,lat,lon\nMarkt,1,49.51,11.28\nMarkt,2,49.51,11.28\n"
    assert import_file(depot, text, options=options).created == 2
    header, *rows = text.splitlines()
    again = "\n".join([header, *reversed(rows)])
    assert import_file(depot, again, options=options).unchanged == 2


def test_import_orders_where_takes_one_instance_of_many(depot: Depot) -> None:
    text = "instance,id,lat,lon\none,A,49.51,11.28\ntwo,A,49.52,11.28\n"
    run = import_file(depot, text, options=ImportOptions(where=(("Instance", "two"),)))
    assert (run.rows, run.created) == (1, 1)
    with pytest.raises(UnreadableFile, match="it has: one, two"):
        import_file(depot, text, options=ImportOptions(where=(("instance", "3"),)))


def test_import_orders_named_columns_beat_the_known_ones(depot: Depot) -> None:
    text = "id,shop,ref,lat,lon\n1,N,77,49.51,11.28\n"
    options = ImportOptions(columns=(("reference", "shop+ref"),))
    import_file(depot, text, options=options)
    assert Order.objects.get().reference == "N-77"


def test_import_orders_window_without_year_is_in_the_service_dates(
    depot: Depot,
) -> None:
    text = (
        "order_id,lat,lng,time_window_start,time_window_end\n"
        "A,49.51,11.28,12-31 22:00:00,01-01 02:00:00\n"
    )
    import_file(depot, text, service_date=date(2026, 1, 1))
    order = Order.objects.get()
    window = order.windows.get()
    assert order.service_date == date(2025, 12, 31)
    assert window.opens_at == datetime(2025, 12, 31, 21, tzinfo=UTC)
    assert window.closes_at == datetime(2026, 1, 1, 1, tzinfo=UTC)


def test_import_orders_line_items_of_a_shop_are_one_order(depot: Depot) -> None:
    text = (
        "Name,Email,Lineitem quantity,Lineitem name,Shipping Name,Shipping Street,"
        "Shipping Zip,Shipping City,Shipping Phone\n"
        "#1001,ada@example.com,2,Tea,Ada,Marktplatz 5,91207,Lauf,\n"
        "#1001,ada@example.com,1,Cup,,,,,\n"
        "#1002,bob@example.com,1,Tea,Bob,Marktplatz 5,91207,Lauf,\n"
    )
    AddressFactory(depot=depot, match_key="marktplatz 5")
    run = import_file(depot, text)
    assert codes(run) == {}
    orders = Order.objects.order_by("reference")
    assert [(order.reference, order.pieces) for order in orders] == [
        ("#1001", 3),
        ("#1002", 1),
    ]


def test_import_orders_mended_row_resolves_the_quarantine(depot: Depot) -> None:
    bad = import_file(depot, "id,lat,lon\nA,149.51,11.28\n")
    import_file(depot, "id,lat,lon,fault,what to do\nA,49.51,11.28,lat: bad,Mend.\n")
    assert bad.quarantine.get().resolved_at == NOW
    assert Order.objects.get().reference == "A"


def test_import_orders_joined_customers_are_one(depot: Depot) -> None:
    import_file(depot, "id,lat,lon,name,phone\nA,49.51,11.28,Ada,09123 12345\n")
    import_file(depot, "id,lat,lon,name,phone\nB,49.51,11.28,Ada,+49 9123 12345\n")
    first, second = Order.objects.all()
    assert first.customer_id == second.customer_id


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.lists(
        st.lists(
            st.one_of(
                st.text(max_size=12),
                st.sampled_from(["A", "49.51", "11,28", "-1", "08:00", "1e400", "=1"]),
            ),
            min_size=7,
            max_size=7,
        ),
        min_size=1,
        max_size=6,
    )
)
def test_import_orders_any_cells_end_as_orders_or_in_quarantine(
    depot: Depot, rows: list[list[str]]
) -> None:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["id", "lat", "lon", "from", "to", "weight", "phone"])
    writer.writerows(rows)
    try:
        run = import_file(depot, out.getvalue().encode("utf-8", "surrogatepass"))
    except UnreadableFile:
        return
    assert run.created + run.updated + run.unchanged + run.quarantined == run.rows


def test_import_orders_second_worker_on_a_run_changes_nothing(depot: Depot) -> None:
    def finish_first(phase: str, done: int, total: int) -> None:
        if phase == "reading" and done == total:
            ImportRun.objects.filter(pk=run.pk).update(state=ImportState.DONE)

    run = receive_file(
        depot_id=depot.pk,
        content=GOOD.encode(),
        file_name="day.csv",
        service_date=SERVICE_DATE,
        options=ImportOptions(),
        by=SYSTEM,
        now=NOW,
        start=False,
    )
    import_orders(run_id=run.pk, by=SYSTEM, now=NOW, progress=finish_first)
    assert not Order.objects.exists()
    assert not Entry.objects.exists()


def test_import_orders_clash_with_another_import_is_read_again(
    depot: Depot, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[int] = []

    def blind_once(*args: Any, **kwargs: Any) -> Sorted:
        looks.append(1)
        found = sort_incoming(*args, **kwargs)
        if len(looks) == 1:
            found.new = [*found.new, *(item for item, _ in found.unchanged)]
            found.unchanged = []
        return found

    import_file(depot, GOOD)
    monkeypatch.setattr(files, "sort_incoming", blind_once)
    run = import_file(depot, GOOD)
    assert (len(looks), run.created, run.unchanged) == (2, 0, 1)
