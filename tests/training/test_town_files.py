"""Order files and the picture of a composed day."""

import csv
import datetime as dt
import xml.etree.ElementTree as ET
from pathlib import Path

import openpyxl

from apps.training.town.compose import compose_day
from apps.training.town.drawing import draw_town_svg
from apps.training.town.files import HEADER, write_orders_csv, write_orders_xlsx
from apps.training.town.generate import make_town
from apps.training.town.model import COMPOSED

ROOT = Path(__file__).resolve().parents[2]
TOWN = 7
DATE = dt.date(2026, 5, 12)
SVG = "{http://www.w3.org/2000/svg}"


def test_write_orders_csv_gives_the_committed_sample(tmp_path: Path) -> None:
    day = compose_day(make_town(TOWN), DATE, orders=60, drivers=2)
    path = tmp_path / "orders.csv"
    write_orders_csv(day, path)
    sample = ROOT / "fixtures" / "composed_orders.csv"
    assert path.read_bytes() == sample.read_bytes()


def test_write_orders_csv_has_a_row_an_order(tmp_path: Path) -> None:
    day = compose_day(make_town(TOWN), DATE, orders=30, drivers=2)
    path = tmp_path / "orders.csv"
    write_orders_csv(day, path)
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 30
    for row, order in zip(rows, day.orders, strict=True):
        assert row["Order No"] == order.reference
        assert float(row["Latitude"]) == order.address.lat
        assert round(float(row["Weight (kg)"]) * 1_000) == order.weight_g
        assert row["Delivery From"] == f"{order.windows[0].start:%H:%M}"
        assert bool(row["Delivery From 2"]) == (len(order.windows) == 2)


def test_write_orders_xlsx_holds_the_same_orders_and_the_label(tmp_path: Path) -> None:
    day = compose_day(make_town(TOWN), DATE, orders=30, drivers=2)
    path = tmp_path / "orders.xlsx"
    write_orders_xlsx(day, path)
    book = openpyxl.load_workbook(path)
    rows = list(book["Orders"].iter_rows(values_only=True))
    assert rows[0] == HEADER
    assert [row[0] for row in rows[1:]] == [o.reference for o in day.orders]
    assert book["About"]["A1"].value == COMPOSED


def test_committed_workbook_holds_the_committed_csv() -> None:
    book = openpyxl.load_workbook(ROOT / "fixtures" / "composed_orders.xlsx")
    rows = list(book["Orders"].iter_rows(values_only=True))
    with (ROOT / "fixtures" / "composed_orders.csv").open(encoding="utf-8") as file:
        lines = list(csv.reader(file))
    assert [[str(row[i]) for i in (0, 1, 4, 9)] for row in rows] == [
        [line[i] for i in (0, 1, 4, 9)] for line in lines
    ]


def test_draw_town_svg_is_xml_that_shows_town_and_orders() -> None:
    town = make_town(TOWN)
    day = compose_day(town, DATE, orders=40, drivers=2)
    root = ET.fromstring(draw_town_svg(town, day))  # noqa: S314 - our own text
    texts = [text.text for text in root.iter(f"{SVG}text")]
    assert town.name in texts
    assert any("invented town" in (text or "") for text in texts)
    assert {zone.name for zone in town.zones} <= set(texts)
    assert len(list(root.iter(f"{SVG}circle"))) == 40


def test_draw_town_svg_draws_routes_along_streets() -> None:
    town = make_town(TOWN)
    day = compose_day(town, DATE, orders=12, drivers=2)
    stops = [order.address.place for order in day.orders]
    depot = town.depot.place
    routes = [[depot, *stops[:6], depot], [depot, *stops[6:], depot]]
    plain = draw_town_svg(town)
    drawn = draw_town_svg(town, day, routes)
    assert drawn == draw_town_svg(town, day, routes)
    assert drawn.count("<circle") == 12
    assert "<circle" not in plain
    assert "2 routes" in drawn
