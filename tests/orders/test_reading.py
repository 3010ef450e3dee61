"""The pure rules of reading: tables, headers, numbers, times, addresses."""

import io
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.units import Point
from apps.orders.drafts import AddressDraft, KnownAddress, Window, merged
from apps.orders.imports import times, values
from apps.orders.imports.addresses import match_key, split_address
from apps.orders.imports.folding import fold
from apps.orders.imports.gazetteer import Gazetteer, NotLocated
from apps.orders.imports.headers import map_columns
from apps.orders.imports.mending import RowToMend, mending_file
from apps.orders.imports.tables import UnreadableFile, read_table

BERLIN = times.Local(ZoneInfo("Europe/Berlin"))
DAY = date(2026, 3, 17)
TEXT = "id;Straße;Gewicht\n1;Großer Weg 5, é;2,5\n"


@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-8-sig", "cp1252", "latin-1", "utf-16", "utf-16-le", "utf-32"],
)
def test_read_table_takes_any_encoding(encoding: str) -> None:
    table = read_table(TEXT.encode(encoding))
    assert table.headers == ["id", "Straße", "Gewicht"]
    assert table.rows[0].cells == ["1", "Großer Weg 5, é", "2,5"]


def test_read_table_takes_other_alphabets() -> None:
    text = "номер;улица;город\n" + "1;Большая Садовая;Москва\n" * 30
    table = read_table(text.encode("cp1251"))
    assert table.headers == ["номер", "улица", "город"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_read_table_finds_the_delimiter(delimiter: str) -> None:
    rows = [["id", "note", "lat"], ["1", '"a, b; c"', "2"], ["2", "x", "3"]]
    text = "\r\n".join(delimiter.join(row) for row in rows)
    table = read_table(text.encode())
    assert (table.delimiter, table.rows[0].cells) == (delimiter, ["1", "a, b; c", "2"])


def test_read_table_passes_titles_and_excels_first_line() -> None:
    table = read_table(b"sep=;\nTour 7\n\nid;lat;lon\n1;2;3\n")
    assert table.headers == ["id", "lat", "lon"]
    assert table.rows[0].line == 5


def test_read_table_reads_typed_cells_of_a_workbook() -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["id", "date", "from", "weight", "when"])
    sheet.append(
        [
            1001.0,
            date(2026, 3, 17),
            time(8, 30),
            2.5,
            datetime.fromisoformat("2026-03-17 09:00"),
        ]
    )
    out = io.BytesIO()
    book.save(out)
    table = read_table(out.getvalue())
    assert table.kind == "xlsx"
    assert table.rows[0].cells == [
        "1001",
        "2026-03-17",
        "08:30:00",
        "2.5",
        "2026-03-17 09:00:00",
    ]


@pytest.mark.parametrize(
    "content",
    [b"", b"  \n", b"only,a,header\n", b"PK\x03\x04broken", b'a,b\n"1,2\n' * 9],
)
def test_read_table_refuses_what_is_no_table(content: bytes) -> None:
    if content.startswith(b'a,b\n"'):
        content += b"x" * 200_000
    with pytest.raises(UnreadableFile):
        read_table(content)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("order_id,lat,lng", {"reference": "order_id", "lat": "lat", "lon": "lng"}),
        (
            "delivery_id,lat,lng,size,depot_lat,depot_lng",
            {"reference": "delivery_id", "lat": "lat", "lon": "lng", "pieces": "size"},
        ),
        (
            "Numéro de commande,Adresse de livraison,Créneau horaire,Poids (kg)",
            {
                "reference": "Numéro de commande",
                "address": "Adresse de livraison",
                "windows": "Créneau horaire",
                "load_g": "Poids (kg)",
            },
        ),
        (
            "Nº de pedido,Dirección,Teléfono,Código postal,Bultos,Observaciones",
            {
                "reference": "Nº de pedido",
                "phone": "Teléfono",
                "address": "Dirección",
                "postcode": "Código postal",
                "pieces": "Bultos",
                "notes": "Observaciones",
            },
        ),
        (
            "Número do pedido,Endereço,CEP,Cidade,Peso bruto (g),Janela de entrega",
            {
                "reference": "Número do pedido",
                "address": "Endereço",
                "postcode": "CEP",
                "city": "Cidade",
                "windows": "Janela de entrega",
                "load_g": "Peso bruto (g)",
            },
        ),
        (
            (
                "Order Number,Shipping First Name,Shipping Last Name,"
                "Shipping Address 1,Shipping Postcode,Shipping City,Billing Phone,"
                "Customer Note"
            ),
            {
                "reference": "Order Number",
                "first_name": "Shipping First Name",
                "last_name": "Shipping Last Name",
                "phone": "Billing Phone",
                "street": "Shipping Address 1",
                "postcode": "Shipping Postcode",
                "city": "Shipping City",
                "notes": "Customer Note",
            },
        ),
        (
            "Farbe?,Auftragsnumer,Lieferadrese",
            {"reference": "Auftragsnumer", "address": "Lieferadrese"},
        ),
        ("ordr,latt,lonn,depot_lat", {}),
        ("id,from,to,open", {"reference": "id"}),
    ],
)
def test_map_columns_knows_the_names_people_use(
    header: str, expected: dict[str, str]
) -> None:
    width = header.count(",") + 1
    cell = "Paris" if "from" in header else "1"
    table = read_table(f"{header}\n{','.join([cell] * width)}\n".encode())
    assert map_columns(table).as_dict() == expected


@pytest.mark.parametrize(
    ("text", "sign", "expected"),
    [
        ("1,5", "", 1.5),
        ("1.5", "", 1.5),
        ("1.234,5", "", 1234.5),
        ("1,234.5", "", 1234.5),
        ("1,234", ".", 1234),
        ("1,234", "", 1.234),
        ("1.234.567", "", 1234567),
        ("1 234,5", "", 1234.5),
        ("1'234.5", "", 1234.5),
        ("-0,5", "", -0.5),
        ("5", ",", 5),
    ],
)
def test_number_reads_either_notation(text: str, sign: str, expected: float) -> None:
    assert values.number(text, sign) == pytest.approx(expected)


@given(st.floats(-1e6, 1e6).map(lambda value: round(value, 4)))
def test_number_reads_back_what_either_notation_writes(value: float) -> None:
    english = f"{value:,.4f}"
    german = english.translate(str.maketrans(",.", ".,"))
    assert values.number(english) == pytest.approx(value)
    assert values.number(german) == pytest.approx(value)


@pytest.mark.parametrize(
    ("field", "text", "unit", "expected"),
    [
        ("load_g", "2,5", "", 2500),
        ("load_g", "2.5 kg", "g", 2500),
        ("load_g", "500", "g", 500),
        ("load_g", "1 lb", "", 454),
        ("load_ml", "0.5", "m3", 500_000),
        ("load_ml", "2 dm³", "", 2000),
        ("service_s", "5", "", 300),
        ("service_s", "90", "s", 90),
        ("service_s", "00:05:00", "", 300),
        ("service_s", "05:30", "", 330),
    ],
)
def test_quantity_reads_units_of_header_and_cell(
    field: str, text: str, unit: str, expected: int
) -> None:
    assert values.quantity(field, text, unit, "") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("09123 12345", "+49912312345"),
        ("+49 (0) 9123 12345", "+49912312345"),
        ("0049 9123/12345", "+49912312345"),
        ("+1 415-555-0100", "+14155550100"),
    ],
)
def test_phone_is_written_in_e164(text: str, expected: str) -> None:
    assert values.phone(text, "DE") == expected


@pytest.mark.parametrize("text", ["12", "none", "+", "++49 1", "123456789012345678"])
def test_phone_refuses_what_is_no_number(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        values.phone(text, "DE")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("08:00-10:00", [(8, 10)]),
        ("08:00-10:00; 14:00-16:00", [(8, 10), (14, 16)]),
        ("8–10 Uhr", [(8, 10)]),
        ("von 8 bis 10 Uhr", [(8, 10)]),
        ("8am to 2pm", [(8, 14)]),
        ("entre 8h et 10h", [(8, 10)]),
        ("de 8h30 à 10h30", [(8.5, 10.5)]),
        ("17.03.2026 08:00 - 17.03.2026 10:00", [(8, 10)]),
        ("2026-03-17T08:00:00+01:00/2026-03-17T10:00:00+01:00", [(8, 10)]),
        ("2026-03-17T07:00:00Z/2026-03-17T09:00:00Z", [(8, 10)]),
        ("20:00-24:00", [(20, 24)]),
    ],
)
def test_moments_reads_ranges(text: str, expected: list[tuple[float, float]]) -> None:
    windows = [
        times.window_of(opens, closes, DAY, BERLIN)
        for opens, closes in times.moments(text, BERLIN)
    ]
    midnight = datetime(2026, 3, 17, tzinfo=BERLIN.zone)
    hours = [
        (
            (w.opens_at - midnight).total_seconds() / 3600,
            (w.closes_at - midnight).total_seconds() / 3600,
        )
        for w in windows
    ]
    assert hours == expected


@pytest.mark.parametrize("text", ["morning", "8", "08:00", "25:00-26:00", "a-b", "-"])
def test_moments_refuses_what_is_no_range(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        times.moments(text, BERLIN)


def test_window_of_follows_the_clock_change_of_the_zone() -> None:
    opens, closes = times.moments("01:00-04:00", BERLIN)[0]
    window = times.window_of(opens, closes, date(2026, 3, 29), BERLIN)
    assert (window.closes_at - window.opens_at).total_seconds() == 2 * 3600


def test_merged_joins_windows_that_touch() -> None:
    hour = [datetime(2026, 3, 17, h, tzinfo=BERLIN.zone) for h in range(8, 13)]
    windows = [
        Window(hour[3], hour[4]),
        Window(hour[0], hour[1]),
        Window(hour[1], hour[2]),
    ]
    assert merged(windows) == (Window(hour[0], hour[2]), Window(hour[3], hour[4]))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Marktplatz 24, 91207 Lauf", ("Marktplatz", "24", "91207", "Lauf")),
        (
            "24 Market Street, Leeds LS1 4DY",
            ("Market Street", "24", "LS1 4DY", "Leeds"),
        ),
        ("12 rue de la Paix, 75002 Paris", ("rue de la Paix", "12", "75002", "Paris")),
        ("Calle Mayor 5, 28013 Madrid", ("Calle Mayor", "5", "28013", "Madrid")),
        (
            "Rua Augusta, 1500, 01305-100 São Paulo",
            ("Rua Augusta", "1500", "01305-100", "São Paulo"),
        ),
        (
            "Straße des 17. Juni 135a, D-10623 Berlin",
            ("Straße des 17. Juni", "135a", "10623", "Berlin"),
        ),
        ("Saarstr. 9 91207 Lauf", ("Saarstr.", "9", "91207", "Lauf")),
        ("Marktplatz", ("Marktplatz", "", "", "")),
    ],
)
def test_split_address_takes_the_usual_orders(
    text: str, expected: tuple[str, str, str, str]
) -> None:
    assert split_address(text) == AddressDraft(*expected)


def test_match_key_makes_spellings_alike() -> None:
    keys = {
        match_key("Saarstraße", "9 A"),
        match_key("SAARSTR.", "9a"),
        match_key("Saar-Str.", "9 a"),
        match_key("Saar Strasse", "9A"),
    }
    assert keys == {"saarstrasse 9a"}


def _known(
    street: str, number: str, lat: float, postcode: str = "91207"
) -> KnownAddress:
    return KnownAddress(match_key(street, number), postcode, "Lauf", Point(lat, 11.28))


def test_locate_refuses_an_address_in_two_places() -> None:
    gazetteer = Gazetteer(
        [
            _known("Hauptstr.", "1", 49.5, "91207"),
            _known("Hauptstr.", "1", 49.6, "91233"),
        ]
    )
    with pytest.raises(NotLocated, match="more than one place"):
        gazetteer.locate(AddressDraft("Hauptstraße", "1"))
    found = gazetteer.locate(AddressDraft("Hauptstraße", "1", "91233"))
    assert found.point.lat == 49.6


def test_locate_refuses_a_guess_between_like_streets() -> None:
    gazetteer = Gazetteer(
        [
            _known("Rosenweg am See", "1", 49.5),
            _known("Rosenweg am Seo", "1", 49.6),
        ]
    )
    with pytest.raises(NotLocated, match="More than one known street"):
        gazetteer.locate(AddressDraft("Rosenweg am Sei", "1", "91207"))


def test_locate_never_takes_another_house_number() -> None:
    gazetteer = Gazetteer([_known("Ahornweg", "1", 49.5)])
    with pytest.raises(NotLocated):
        gazetteer.locate(AddressDraft("Ahornweg", "3", "91207"))


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_mending_file_is_read_back_as_it_came(kind: str) -> None:
    cells = {"id": "=1+1", "phone": "+49 9123", "note": 'a; "b"', "x": "@home"}
    content = mending_file(
        [RowToMend(cells, [{"column": "id", "code": "c", "detail": "Mend it."}])],
        list(cells),
        kind=kind,
        delimiter=";",
    )
    table = read_table(content)
    assert table.headers == ["id", "phone", "note", "x", "fault", "what to do"]
    assert table.rows[0].cells == [*cells.values(), "id: c", "Mend it."]


def test_fold_ignores_case_accents_and_punctuation() -> None:
    assert fold("Créneau-Horaire") == "creneauhoraire"
    assert fold("Straße") == "strasse"
