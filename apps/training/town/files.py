"""A composed day's orders as the files a shop would send: CSV and XLSX."""

import csv
import datetime as dt
from pathlib import Path

import openpyxl

from apps.training.town.day import OrderDraft, TownDay
from apps.training.town.generate import COUNTRY, REGION

HEADER = (
    "Order No", "Ship-to Name", "Phone", "Email", "Street", "City", "State", "Zip",
    "Country", "Latitude", "Longitude", "Delivery Date", "Delivery From",
    "Delivery To", "Delivery From 2", "Delivery To 2", "Preferred From",
    "Preferred To", "Pieces", "Weight (kg)",
    "Volume (l)", "Priority", "Service Time (min)", "Requirements", "Notes",
)  # fmt: skip
"""Columns as shops name them. Times are the depot's local times."""

Cell = str | int | float | None


def order_rows(day: TownDay) -> list[tuple[Cell, ...]]:
    """Return the rows below `HEADER`, one an order."""
    return [_row(day, order) for order in day.orders]


def _row(day: TownDay, order: OrderDraft) -> tuple[Cell, ...]:
    address = order.address
    first, second = order.windows[0], (*order.windows, None)[1]
    return (
        order.reference,
        order.customer_name,
        order.phone,
        order.email,
        address.line,
        day.town,
        REGION,
        address.postcode,
        COUNTRY,
        address.lat,
        address.lon,
        day.date.isoformat(),
        _clock(first.start),
        _clock(first.end),
        _clock(second.start) if second else None,
        _clock(second.end) if second else None,
        _clock(order.preferred.start) if order.preferred else None,
        _clock(order.preferred.end) if order.preferred else None,
        order.pieces,
        order.weight_g / 1_000,
        order.volume_ml / 1_000,
        "high" if order.priority else "normal",
        order.planned_service_s / 60,
        ", ".join(order.requirements) or None,
        order.note or None,
    )


def _clock(at: dt.datetime) -> str:
    return f"{at:%H:%M}"


def write_orders_csv(day: TownDay, path: Path) -> None:
    """Write the orders as UTF-8 CSV; the same day gives the same bytes."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow(HEADER)
        writer.writerows(order_rows(day))


def write_orders_xlsx(day: TownDay, path: Path) -> None:
    """Write the orders as a workbook: sheet "Orders", and "About" with the label."""
    book = openpyxl.Workbook()
    book.properties.title = f"Orders for {day.town}, {day.date.isoformat()}"
    book.properties.description = day.label
    sheet = book.worksheets[0]
    sheet.title = "Orders"
    sheet.append(HEADER)
    for row in order_rows(day):
        sheet.append(row)
    sheet.freeze_panes = "A2"
    book.create_sheet("About").append((day.label,))
    book.save(path)
